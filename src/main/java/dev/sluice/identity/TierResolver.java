package dev.sluice.identity;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/**
 * Says which tier a caller has. An application replaces the one that comes with Sluice, which takes the tier that came with
 * the identity, by a CDI bean of this type.
 */
public interface TierResolver {

    /** @return the tier's name; one that is not configured, or null, is the first tier */
    Uni<String> resolve(Identity identity, RoutingContext request);
}
