package dev.sluice.identity;

import jakarta.enterprise.context.ApplicationScoped;

import org.jspecify.annotations.Nullable;

import io.quarkus.arc.DefaultBean;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Default tier resolver: returns the tier of the identity, from a token, an API key or a trusted header. */
@ApplicationScoped
@DefaultBean
public class ClaimedTierResolver implements TierResolver {

    @Override
    public Uni<@Nullable String> resolve(Identity identity, RoutingContext request) {
        return Uni.createFrom().item(identity.tier());
    }
}
