package dev.sluice.llm.client;

import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

import dev.sluice.policy.CallerResolver;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Uni;

/** Finds out on whose behalf a model is called. */
@Singleton
class LlmIdentityResolver {

    private final CallerResolver callers;
    private final CurrentVertxRequest current;
    private final LlmIdentity application;

    LlmIdentityResolver(CallerResolver callers, CurrentVertxRequest current,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.callers = callers;
        this.current = current;
        this.application = new LlmIdentity("app:" + application, null);
    }

    /**
     * Who it is: this user, otherwise the caller of the HTTP request in progress, otherwise the application. To be asked on
     * the thread that makes the call.
     *
     * @param user null or blank where none is named
     * @param tier null or blank where none is named
     */
    Uni<LlmIdentity> of(@Nullable String user, @Nullable String tier) {
        var said = tier == null || tier.isBlank() ? null : tier;
        if (user != null && !user.isBlank()) {
            return Uni.createFrom().item(LlmIdentity.user(user, said));
        }
        var request = Arc.container().requestContext().isActive() ? current.getCurrent() : null;
        return request == null
                ? Uni.createFrom().item(application.in(said))
                : callers.resolve(request)
                        .map(caller -> new LlmIdentity(caller.identity().identifier(), caller.tier()).in(said));
    }
}
