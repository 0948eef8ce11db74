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
     * Returns the caller of a request if it can be resolved without waiting; null if {@link #of(RoutingContext)} has to be used.
     *
     * @throws dev.sluice.identity.CredentialsRejectedException if the credentials are invalid
     */
    public Caller now(RoutingContext request) {
        var identity = own == null ? null : own.now(request);
        return identity == null ? null : new Caller(identity, policy.tier(identity.tier()));
    }

    /** Returns the caller of a request; fails with {@link dev.sluice.identity.CredentialsRejectedException}. */
    public Uni<Caller> of(RoutingContext request) {
        return identities.resolve(request).chain(identity -> of(request, identity));
    }

    /** Returns the caller with an identity that is already known, and its tier. */
    public Uni<Caller> of(RoutingContext request, Identity identity) {
        return tiers.resolve(identity, request).map(tier -> new Caller(identity, policy.tier(tier)));
    }

    /** Returns the client address as a caller in the first tier: failed authentication counts against it. */
    public Caller address(RoutingContext request) {
        return new Caller(addresses.identity(request.request()), policy.tier(null));
    }
}
