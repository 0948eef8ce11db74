package dev.sluice.llm.client;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.wire.Provider;

/** Whose models REST client interfaces call. */
final class ClientInterfaces {

    private final Map<Class<?>, Provider> known = new ConcurrentHashMap<>();

    /**
     * @param invoked null where the client has no interface
     * @throws IllegalStateException where the interface does not say it
     */
    Provider provider(Method invoked) {
        if (invoked == null) {
            throw new IllegalStateException("LlmRateLimitFilter is for the interfaces of REST clients");
        }
        return known.computeIfAbsent(invoked.getDeclaringClass(), ClientInterfaces::read);
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
}
