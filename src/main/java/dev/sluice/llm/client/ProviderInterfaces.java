package dev.sluice.llm.client;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;

/** Reads and caches the {@link LlmProvider} of REST client interfaces. */
@Singleton
class ProviderInterfaces {

    private final Map<Class<?>, Provider> byClient = new ConcurrentHashMap<>();
    private final Providers providers;

    ProviderInterfaces(Providers providers) {
        this.providers = providers;
    }

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
        return byClient.computeIfAbsent(client, this::readAnnotation);
    }

    private Provider readAnnotation(Class<?> type) {
        var annotation = type.getAnnotation(LlmProvider.class);
        if (annotation == null) {
            throw new IllegalStateException(
                    type.getName() + " has LlmRateLimitFilter but no @LlmProvider; allowed: " + providers.allowedIds());
        }
        var provider = providers.find(annotation.value());
        if (provider == null) {
            throw new IllegalStateException("@LlmProvider of " + type.getName() + " names \"" + annotation.value()
                    + "\"; allowed: " + providers.allowedIds());
        }
        return provider;
    }
}
