package dev.sluice.llm.client;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
import org.eclipse.microprofile.rest.client.inject.RestClient;
import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.protocol.Provider;

/** Reads and caches the {@link LlmProvider} of REST client interfaces. */
@Singleton
class ProviderInterfaces {

    private final Map<Class<?>, Provider> providers = new ConcurrentHashMap<>();

    /**
     * Returns the provider of a client interface.
     *
     * @param invokedMethod null if the client has no interface
     * @throws IllegalStateException if the interface has no valid {@link LlmProvider}
     */
    Provider providerOf(@Nullable Method invokedMethod) {
        if (invokedMethod == null) {
            throw new IllegalStateException("LlmRateLimitFilter requires a REST client with an interface");
        }
        return providers.computeIfAbsent(invokedMethod.getDeclaringClass(), ProviderInterfaces::readAnnotation);
    }

    private static Provider readAnnotation(Class<?> type) {
        var annotation = type.getAnnotation(LlmProvider.class);
        if (annotation == null) {
            throw new IllegalStateException(
                    type.getName() + " has LlmRateLimitFilter but no @LlmProvider; allowed: " + Provider.ALLOWED_IDS);
        }
        var provider = Provider.of(annotation.value());
        if (provider == null) {
            throw new IllegalStateException("@LlmProvider of " + type.getName() + " names \"" + annotation.value()
                    + "\"; allowed: " + Provider.ALLOWED_IDS);
        }
        return provider;
    }

    /** Validates the annotations of all injected REST clients at startup, so that none fails a call later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        for (var bean : beans.getBeans(Object.class, RestClient.LITERAL)) {
            for (var type : bean.getTypes()) {
                if (type instanceof Class<?> client && client.isInterface() && hasFilter(client)) {
                    try {
                        providers.computeIfAbsent(client, ProviderInterfaces::readAnnotation);
                    } catch (IllegalStateException e) {
                        var annotation = client.getAnnotation(LlmProvider.class);
                        problems.add("@LlmProvider of " + client.getName(), annotation == null ? "(none)" : annotation.value(),
                                Provider.ALLOWED_IDS);
                    }
                }
            }
        }
    }

    private static boolean hasFilter(Class<?> client) {
        return Arrays.stream(client.getAnnotationsByType(RegisterProvider.class))
                .anyMatch(registered -> registered.value() == LlmRateLimitFilter.class);
    }
}
