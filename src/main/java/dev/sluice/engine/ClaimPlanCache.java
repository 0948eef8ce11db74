package dev.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.ResourceCheck;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.WindowClaim;

/** The plans of demands that were made before: rows ask the same of everybody. */
final class ClaimPlanCache {

    /** More than rows and tiers make; rates that come with a request could make any number. */
    private static final int MOST = 2000;

    private final FallbackPolicy fallback;
    private final Map<List<ResourceCheck>, ClaimPlan> known = new ConcurrentHashMap<>();

    /** @param fallback where a demand does not say otherwise */
    ClaimPlanCache(FallbackPolicy fallback) {
        this.fallback = fallback;
    }

    ClaimPlan of(List<ResourceCheck> demands) {
        for (var demand : demands) {
            if (demand.reserved()) {
                return ClaimPlan.of(claims(demands)); // no two estimates are the same
            }
        }
        var plan = known.get(demands);
        if (plan == null) {
            plan = ClaimPlan.of(claims(demands));
            if (known.size() >= MOST) {
                known.clear();
            }
            known.put(demands, plan);
        }
        return plan;
    }

    /** One claim per window: where two demands name the same, the smaller limit and the larger cost hold. */
    private List<WindowClaim> claims(List<ResourceCheck> demands) {
        boolean consume = demands.stream().anyMatch(demand -> demand.cost() > 0);
        var claims = new ArrayList<WindowClaim>();
        for (var demand : demands) {
            var own = demand.fallback() == null ? fallback : demand.fallback();
            for (var quota : demand.rate().quotas()) {
                long cost = !consume ? 1 : demand.reserved() ? Math.min(demand.cost(), quota.limit()) : demand.cost();
                add(claims,
                        new WindowClaim(demand.resource(), quota.windowSeconds() * 1_000_000, quota.limit(), quota.unit(), cost,
                                demand.reserved(), quota.limit(), own));
            }
        }
        return claims;
    }

    private static void add(List<WindowClaim> claims, WindowClaim claim) {
        var added = claim;
        for (var other : claims) {
            if (other.span() == claim.span() && other.resource().equals(claim.resource())) {
                long limit = Math.min(claim.limit(), other.limit());
                added = new WindowClaim(claim.resource(), claim.span(), limit, claim.unit(),
                        Math.max(claim.cost(), other.cost()),
                        claim.reserved(), limit, stricter(claim.fallback(), other.fallback()));
                claims.remove(other);
                break;
            }
        }
        claims.add(added);
    }

    private static FallbackPolicy stricter(FallbackPolicy one, FallbackPolicy other) {
        return one == FallbackPolicy.CLOSED || other == FallbackPolicy.OPEN ? one : other;
    }
}
