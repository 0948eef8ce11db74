package dev.sluice.identity;

import org.jspecify.annotations.Nullable;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/**
 * Resolves the tier of a caller. The default returns {@link Identity#tier()}; an application replaces it by a CDI bean of this
 * type.
 */
public interface TierResolver {

    /**
     * Resolves the tier of a caller. Called on the request's Vert.x context, which is an event loop: must not block.
     *
     * @param identity identity of the caller
     * @param request the request
     * @return name of the tier; null or a name that is not configured selects the first configured tier
     */
    Uni<@Nullable String> resolve(Identity identity, RoutingContext request);
}
