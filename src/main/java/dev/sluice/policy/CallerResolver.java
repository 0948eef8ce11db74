package dev.sluice.policy;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.identity.ClaimedTierResolver;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.identity.DefaultIdentityResolver;
import dev.sluice.identity.Identity;
import dev.sluice.identity.IdentityResolver;
import dev.sluice.identity.TierResolver;
import io.quarkus.arc.ClientProxy;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Finds out who is calling. */
@ApplicationScoped
public class CallerResolver {

    private final IdentityResolver identities;
    private final TierResolver tiers;
    /** Null where the application has another way. */
    private final DefaultIdentityResolver own;
    private final ClientAddressResolver addresses;
    private final CurrentPolicy policy;

    CallerResolver(IdentityResolver identities, TierResolver tiers, ClientAddressResolver addresses, CurrentPolicy policy) {
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
     * @throws dev.sluice.identity.CredentialsRejectedException where credentials came and do not hold
     */
    public Caller now(RoutingContext request) {
        var identity = own == null ? null : own.now(request);
        return identity == null ? null : new Caller(identity, policy.tier(identity.tier()));
    }

    /** Who sent this request; fails with {@link dev.sluice.identity.CredentialsRejectedException}. */
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
