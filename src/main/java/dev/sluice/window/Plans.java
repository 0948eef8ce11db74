package dev.sluice.window;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.limit.Demand;
import dev.sluice.limit.Fallback;

/** The plans of demands that were made before: rows ask the same of everybody. */
final class Plans {

    /** More than rows and tiers make; rates that come with a request could make any number. */
    private static final int MOST = 2000;

    private final Fallback fallback;
    private final Map<List<Demand>, Plan> known = new ConcurrentHashMap<>();

    /** @param fallback where a demand does not say otherwise */
    Plans(Fallback fallback) {
        this.fallback = fallback;
    }

    Plan of(List<Demand> demands) {
        for (var demand : demands) {
            if (demand.reserved()) {
                return Plan.of(claims(demands)); // no two estimates are the same
            }
        }
        var plan = known.get(demands);
        if (plan == null) {
            plan = Plan.of(claims(demands));
            if (known.size() >= MOST) {
                known.clear();
            }
            known.put(demands, plan);
        }
        return plan;
    }

    /** One claim per window: where two demands name the same, the smaller limit and the larger cost hold. */
    private List<Claim> claims(List<Demand> demands) {
        boolean consume = demands.stream().anyMatch(demand -> demand.cost() > 0);
        var claims = new ArrayList<Claim>();
        for (var demand : demands) {
            var own = demand.fallback() == null ? fallback : demand.fallback();
            for (var quota : demand.rate().quotas()) {
                long cost = !consume ? 1 : demand.reserved() ? Math.min(demand.cost(), quota.limit()) : demand.cost();
                add(claims, new Claim(demand.resource(), quota.windowSeconds() * 1_000_000, quota.limit(), quota.unit(), cost,
                        demand.reserved(), quota.limit(), own));
            }
        }
        return claims;
    }

    private static void add(List<Claim> claims, Claim claim) {
        var added = claim;
        for (var other : claims) {
            if (other.span() == claim.span() && other.resource().equals(claim.resource())) {
                long limit = Math.min(claim.limit(), other.limit());
                added = new Claim(claim.resource(), claim.span(), limit, claim.unit(), Math.max(claim.cost(), other.cost()),
                        claim.reserved(), limit, stricter(claim.fallback(), other.fallback()));
                claims.remove(other);
                break;
            }
        }
        claims.add(added);
    }

    private static Fallback stricter(Fallback one, Fallback other) {
        return one == Fallback.CLOSED || other == Fallback.OPEN ? one : other;
    }
}
