package org.example.reports;

import dev.sluice.identity.Identity;
import dev.sluice.identity.TierResolver;


import jakarta.enterprise.context.ApplicationScoped;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** In this application the tier is a matter of who one is. */
@ApplicationScoped
public class TierByName implements TierResolver {

    @Override
    public Uni<String> resolve(Identity identity, RoutingContext request) {
        return Uni.createFrom().item(identity.userName().filter("alice"::equals).isPresent() ? "pro" : "free");
    }
}
