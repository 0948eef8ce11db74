package dev.sluice.identity;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/**
 * Says who is calling. An application replaces the one that comes with Sluice by a CDI bean of this type.
 */
public interface IdentityResolver {

    /**
     * @return the identity, never null; fails with {@link CredentialsRejectedException} where credentials came and do not hold
     */
    Uni<Identity> resolve(RoutingContext request);
}
