package dev.sluice.policy;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.caller.ClaimedTierResolver;
import dev.sluice.caller.ClientAddress;
import dev.sluice.caller.DefaultIdentityResolver;
import dev.sluice.caller.Identity;
import dev.sluice.caller.IdentityResolver;
import dev.sluice.caller.TierResolver;
import io.quarkus.arc.ClientProxy;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Finds out who is calling. */
@ApplicationScoped
public class Callers {

    private final IdentityResolver identities;
    private final TierResolver tiers;
    /** Null where the application has another way. */
    private final DefaultIdentityResolver own;
    private final ClientAddress addresses;
    private final Policy policy;

    Callers(IdentityResolver identities, TierResolver tiers, ClientAddress addresses, Policy policy) {
        this.identities = identities;
        this.own = ClientProxy.unwrap(identities).getClass() == DefaultIdentityResolver.class
                && ClientProxy.unwrap(tiers).getClass() == ClaimedTierResolver.class
                        ? (DefaultIdentityResolver) identities
                        : null;
        this.tiers = tiers;
        this.addresses = addresses;
        this.policy = policy;
    }

    /**
     * Who sent this request, where that can be told without waiting; null where {@link #of(RoutingContext)} has to be asked.
     *
     * @throws dev.sluice.caller.CredentialsRejectedException where credentials came and do not hold
     */
    public Caller now(RoutingContext request) {
        var identity = own == null ? null : own.now(request);
        return identity == null ? null : new Caller(identity, policy.tier(identity.tier()));
    }

    /** Who sent this request; fails with {@link dev.sluice.caller.CredentialsRejectedException}. */
    public Uni<Caller> of(RoutingContext request) {
        return identities.resolve(request).chain(identity -> of(request, identity));
    }

    /** The tier of somebody who is known already. */
    public Uni<Caller> of(RoutingContext request, Identity identity) {
        return tiers.resolve(identity, request).map(tier -> new Caller(identity, policy.tier(tier)));
    }

    /** The address a request came from, in the first tier: whom failures to say who one is count against. */
    public Caller address(RoutingContext request) {
        return new Caller(addresses.identity(request.request()), policy.tier(null));
    }
}
