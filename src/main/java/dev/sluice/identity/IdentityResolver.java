package dev.sluice.identity;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Resolves the identity of the caller of an HTTP request. An application replaces the default by a CDI bean of this type. */
public interface IdentityResolver {

    /**
     * Resolves the identity of a request. Called on the request's Vert.x context, which is an event loop: must not block.
     *
     * @param request the request
     * @return the identity, never null; fails with {@link CredentialsRejectedException} if the request has invalid credentials,
     *         which is answered with 401
     */
    Uni<Identity> resolve(RoutingContext request);
}
