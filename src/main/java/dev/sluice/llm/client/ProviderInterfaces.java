package dev.sluice.llm.client;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

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
        return providerOf(invokedMethod.getDeclaringClass());
    }

    /**
     * Returns the provider of a client interface.
     *
     * @throws IllegalStateException if the interface has no valid {@link LlmProvider}
     */
    Provider providerOf(Class<?> client) {
        return providers.computeIfAbsent(client, ProviderInterfaces::readAnnotation);
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
}
