package org.example.reports;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.caller.Identity;
import dev.sluice.caller.TierResolver;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** In this application the tier is a matter of who one is. */
@ApplicationScoped
public class TierByName implements TierResolver {

    @Override
    public Uni<String> resolve(Identity identity, RoutingContext request) {
        return Uni.createFrom().item("alice".equals(identity.userName()) ? "pro" : "free");
    }
}
