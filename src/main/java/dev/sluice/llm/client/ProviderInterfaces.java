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

/** Whose models REST client interfaces call. */
@Singleton
class ProviderInterfaces {

    private final Map<Class<?>, Provider> known = new ConcurrentHashMap<>();

    /**
     * @param invoked null where the client has no interface
     * @throws IllegalStateException where the interface does not say it
     */
    Provider provider(@Nullable Method invoked) {
        if (invoked == null) {
            throw new IllegalStateException("LlmRateLimitFilter is for the interfaces of REST clients");
        }
        return known.computeIfAbsent(invoked.getDeclaringClass(), ProviderInterfaces::read);
    }

    private static Provider read(Class<?> type) {
        var annotation = type.getAnnotation(LlmProvider.class);
        if (annotation == null) {
            throw new IllegalStateException(
                    type.getName() + " has LlmRateLimitFilter, and lacks @LlmProvider: " + Provider.ALLOWED);
        }
        var provider = Provider.of(annotation.value());
        if (provider == null) {
            throw new IllegalStateException("@LlmProvider of " + type.getName() + " names \"" + annotation.value()
                    + "\"; allowed: " + Provider.ALLOWED);
        }
        return provider;
    }

    /** Reads the annotations of every injected REST client at start, so that none fails a call later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        for (var bean : beans.getBeans(Object.class, RestClient.LITERAL)) {
            for (var type : bean.getTypes()) {
                if (type instanceof Class<?> client && client.isInterface() && limited(client)) {
                    try {
                        known.computeIfAbsent(client, ProviderInterfaces::read);
                    } catch (IllegalStateException e) {
                        var annotation = client.getAnnotation(LlmProvider.class);
                        problems.add("@LlmProvider of " + client.getName(), annotation == null ? "(none)" : annotation.value(),
                                Provider.ALLOWED);
                    }
                }
            }
        }
    }

    private static boolean limited(Class<?> client) {
        return Arrays.stream(client.getAnnotationsByType(RegisterProvider.class))
                .anyMatch(registered -> registered.value() == LlmRateLimitFilter.class);
    }
}
