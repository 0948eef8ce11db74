package dev.sluice.llm.client;

import java.util.Arrays;

import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
import org.eclipse.microprofile.rest.client.inject.RestClient;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.LlmProvider;
import dev.sluice.llm.config.Providers;

/** Validates the {@link LlmProvider} of REST clients with {@link LlmRateLimitFilter}. */
@Singleton
class ProviderInterfacesValidator {

    private final ProviderInterfaces interfaces;
    private final Providers providers;

    ProviderInterfacesValidator(ProviderInterfaces interfaces, Providers providers) {
        this.interfaces = interfaces;
        this.providers = providers;
    }

    /** Validates the annotations of all injected REST clients at startup, so that none fails a call later. */
    void validate(@Observes ConfigProblems problems, BeanManager beans) {
        for (var bean : beans.getBeans(Object.class, RestClient.LITERAL)) {
            for (var type : bean.getTypes()) {
                if (type instanceof Class<?> client && client.isInterface() && hasFilter(client)) {
                    try {
                        interfaces.providerOf(client);
                    } catch (IllegalStateException e) {
                        var annotation = client.getAnnotation(LlmProvider.class);
                        problems.add("@LlmProvider of " + client.getName(), annotation == null ? "(none)" : annotation.value(),
                                providers.allowedIds());
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
