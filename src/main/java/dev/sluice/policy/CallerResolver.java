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

/** Resolves the identity and the tier of the sender of a request. */
@ApplicationScoped
public class CallerResolver {

    private final IdentityResolver identities;
    private final TierResolver tiers;
    /** Null if the application replaces the default resolver of identities or of tiers. */
    private final DefaultIdentityResolver defaultResolver;
    private final ClientAddressResolver addresses;
    private final CurrentPolicy policy;

    CallerResolver(IdentityResolver identities, TierResolver tiers, ClientAddressResolver addresses, CurrentPolicy policy) {
        this.identities = identities;
        this.defaultResolver = ClientProxy.unwrap(identities).getClass() == DefaultIdentityResolver.class
                && ClientProxy.unwrap(tiers).getClass() == ClaimedTierResolver.class
                        ? (DefaultIdentityResolver) identities
                        : null;
        this.tiers = tiers;
        this.addresses = addresses;
        this.policy = policy;
    }

    /**
     * Returns the caller of a request if it can be resolved without waiting; null if {@link #resolve(RoutingContext)} is needed.
     *
     * @throws dev.sluice.identity.CredentialsRejectedException if the credentials are invalid
     */
    public Caller resolveNow(RoutingContext request) {
        var identity = defaultResolver == null ? null : defaultResolver.resolveNow(request);
        return identity == null ? null : new Caller(identity, policy.effectiveTier(identity.tier()));
    }

    /** Returns the caller with an identity that is already known; null if {@link #resolve(RoutingContext, Identity)} is needed. */
    public Caller resolveNow(Identity identity) {
        return defaultResolver == null ? null : new Caller(identity, policy.effectiveTier(identity.tier()));
    }

    /** Returns the caller of a request; fails with {@link dev.sluice.identity.CredentialsRejectedException}. */
    public Uni<Caller> resolve(RoutingContext request) {
        return identities.resolve(request).chain(identity -> resolve(request, identity));
    }

    /** Returns the caller with an identity that is already known, and its tier. */
    public Uni<Caller> resolve(RoutingContext request, Identity identity) {
        return tiers.resolve(identity, request).map(tier -> new Caller(identity, policy.effectiveTier(tier)));
    }

    /** Returns the client address as a caller in the first tier: failed authentication counts against it. */
    public Caller resolveAddress(RoutingContext request) {
        return new Caller(addresses.identity(request.request()), policy.effectiveTier(null));
    }
}
