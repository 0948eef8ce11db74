package dev.sluice.llm.client;

import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

import dev.sluice.identity.NamedCallerResolver;
import dev.sluice.policy.CallerResolver;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Uni;

/** Determines the identity that an LLM call counts for. */
@Singleton
class LlmIdentityResolver {

    private final CallerResolver callerResolver;
    private final NamedCallerResolver namedCallers;
    private final CurrentVertxRequest currentRequest;
    private final LlmIdentity application;

    LlmIdentityResolver(CallerResolver callerResolver, NamedCallerResolver namedCallers, CurrentVertxRequest currentRequest,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.callerResolver = callerResolver;
        this.namedCallers = namedCallers;
        this.currentRequest = currentRequest;
        this.application = new LlmIdentity("app:" + application, null);
    }

    /**
     * Returns the named user, otherwise the caller of the current HTTP request, otherwise the application. Must be called
     * on the thread that makes the call: it reads the CDI request context.
     *
     * @param user null or blank for none
     * @param tier null or blank for none
     */
    Uni<LlmIdentity> resolve(@Nullable String user, @Nullable String tier) {
        var requestedTier = tier == null || tier.isBlank() ? null : tier;
        if (user != null && !user.isBlank()) {
            return resolve(LlmIdentity.user(user, requestedTier));
        }
        var request = Arc.container().requestContext().isActive() ? currentRequest.getCurrent() : null;
        return request == null
                ? Uni.createFrom().item(application.withTier(requestedTier))
                : callerResolver.resolve(request)
                        .map(caller -> new LlmIdentity(caller.identity().identifier(), caller.tier(), caller.identity().chain())
                                .withTier(requestedTier));
    }

    /** Returns a named user with the limits and the tier that are stored for it. On any thread. */
    Uni<LlmIdentity> resolve(LlmIdentity user) {
        return namedCallers.resolve(user.identifier(), null, null).map(user::withStored);
    }
}
