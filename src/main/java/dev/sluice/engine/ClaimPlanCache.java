package dev.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.Enforcement;
import dev.sluice.store.JointPlan;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.WindowClaim;

/** Cache of claim plans by resource checks: the same rules apply to most requests. */
final class ClaimPlanCache {

    /** More than rules and tiers produce; rates supplied by requests could produce any number. */
    private static final int MAX_PLANS = 2000;

    private final FallbackPolicy fallback;
    private final Map<List<ResourceCheck>, ClaimPlan> plans = new ConcurrentHashMap<>();
    /** Plans of checks without a cost beside others that have one. */
    private final Map<List<ResourceCheck>, ClaimPlan> freePlans = new ConcurrentHashMap<>();
    private final Map<ClaimPlan, ClaimPlan> shadowPlans = new ConcurrentHashMap<>();
    private final Map<List<ClaimPlan>, JointPlan> jointPlans = new ConcurrentHashMap<>();
    private final Map<List<ClaimPlan>, JointPlan> askingPlans = new ConcurrentHashMap<>();

    private final PeriodCalendar calendar;
    private final MicrosClock clock;

    /**
     * @param fallback the policy for checks that do not set their own
     * @param calendar periods of the time zone
     * @param clock tells which periods are the current ones
     */
    ClaimPlanCache(FallbackPolicy fallback, PeriodCalendar calendar, MicrosClock clock) {
        this.fallback = fallback;
        this.calendar = calendar;
        this.clock = clock;
    }

    /**
     * Returns the plan of checks, for the current calendar periods.
     *
     * @param consume whether any check of the request, or of those decided with it, has a cost
     */
    ClaimPlan planFor(List<ResourceCheck> checks, boolean consume) {
        boolean costs = false;
        for (var check : checks) {
            if (isEstimate(check)) {
                return ClaimPlan.of(claims(checks, consume)); // estimates differ from request to request
            }
            costs |= check.cost() > 0;
        }
        return cached(costs == consume ? plans : freePlans, checks, created -> ClaimPlan.of(claims(created, consume)))
                .at(clock); // keeps other periods, too
    }

    /** Returns whether a cost differs from request to request: that of tokens and dollars, which are reserved. */
    private static boolean isEstimate(ResourceCheck check) {
        if (check.reserved()) {
            for (var quota : check.rate().quotas()) {
                if (quota.unit() != QuotaUnit.REQUESTS) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isEstimate(WindowClaim claim) {
        return claim.reserved() && claim.unit() != QuotaUnit.REQUESTS;
    }

    /** Returns the plan of checks whose costs are taken beyond the limits. */
    ClaimPlan chargePlan(List<ResourceCheck> checks) {
        return ClaimPlan.of(claims(checks, true).stream().filter(claim -> claim.cost() > 0 && !claim.isConcurrency())
                .map(claim -> claim.with(Enforcement.CHARGED)).toList());
    }

    /** Returns the plan of a request's checks, as {@link #planFor(List, boolean)} does. */
    ClaimPlan planFor(RateLimitRequest request, boolean consume) {
        var plan = planFor(request.checks(), consume);
        return request.shadow()
                ? cached(shadowPlans, plan, enforced -> ClaimPlan.of(enforced.stream().map(WindowClaim::asShadow).toList()))
                        .at(clock)
                : plan;
    }

    /**
     * Returns the plan of several identifiers whose claims must all fit, of which each has one of these plans.
     *
     * @param zeroCostAsks whether a claim of cost 0 asks for one unit
     */
    JointPlan jointPlan(List<ClaimPlan> parts, boolean zeroCostAsks) {
        for (var part : parts) {
            if (part.get(0).enforcement() == Enforcement.CHARGED
                    || part.reserved() && part.stream().anyMatch(ClaimPlanCache::isEstimate)) {
                return new JointPlan(parts, zeroCostAsks); // costs differ from request to request
            }
        }
        return zeroCostAsks
                ? cached(askingPlans, parts, created -> new JointPlan(created, true))
                : cached(jointPlans, parts, created -> new JointPlan(created, false));
    }

    /** Returns the plan of a key from a cache; creates it if it is absent, and clears a full cache first. */
    static <K, P> P cached(Map<K, P> cache, K key, Function<K, P> create) {
        var plan = cache.get(key);
        if (plan == null) {
            plan = create.apply(key);
            if (cache.size() >= MAX_PLANS) {
                cache.clear();
            }
            cache.put(key, plan);
        }
        return plan;
    }

    /** Creates one claim per window; if two checks name the same window, the smaller limit and the larger cost apply. */
    private List<WindowClaim> claims(List<ResourceCheck> checks, boolean consume) {
        var claims = new ArrayList<WindowClaim>();
        for (var check : checks) {
            var effectiveFallback = check.fallback() == null ? fallback : check.fallback();
            for (var quota : check.rate().quotas()) {
                long cost = !consume ? 1 : check.reserved() ? Math.min(check.cost(), quota.limit()) : check.cost();
                var claim = new WindowClaim(check.resource(), quota.windowSeconds() * 1_000_000, quota.limit(), quota.unit(),
                        cost, check.reserved(), quota.limit(), effectiveFallback);
                add(claims, quota.period() == null ? claim : claim.in(calendar.at(quota.period(), clock.micros())));
            }
        }
        return claims;
    }

    private static void add(List<WindowClaim> claims, WindowClaim claim) {
        var added = claim;
        for (var existing : claims) {
            if (existing.hasSameWindow(claim)) {
                long limit = Math.min(claim.limit(), existing.limit());
                added = new WindowClaim(claim.resource(), claim.span(), limit, claim.unit(),
                        Math.max(claim.cost(), existing.cost()),
                        claim.reserved(), limit, stricter(claim.fallback(), existing.fallback())).in(claim.calendar());
                claims.remove(existing);
                break;
            }
        }
        claims.add(added);
    }

    private static FallbackPolicy stricter(FallbackPolicy one, FallbackPolicy other) {
        return one == FallbackPolicy.CLOSED || other == FallbackPolicy.OPEN ? one : other;
    }
}
