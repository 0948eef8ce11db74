package dev.sluice.identity;

import jakarta.enterprise.context.ApplicationScoped;

import io.quarkus.arc.DefaultBean;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** The tier that came with the identity. */
@ApplicationScoped
@DefaultBean
public class ClaimedTierResolver implements TierResolver {

    @Override
    public Uni<String> resolve(Identity identity, RoutingContext request) {
        return Uni.createFrom().item(identity.tier());
    }
}
