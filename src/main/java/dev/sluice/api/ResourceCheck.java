package dev.sluice.api;

import org.jspecify.annotations.Nullable;

/**
 * One check of a {@link RateLimitRequest}: consumes {@code cost} units of a resource, subject to {@code rate}.
 * <p>
 * A cost that is not known beforehand can be reserved. A reservation consumes the estimate, capped at the limit, so that an
 * unused window always admits it; {@link RateLimiter#settle} corrects it to the actual cost.
 *
 * @param resource name of the resource, 1 to 256 characters; identifier, resource and window length together identify a window
 * @param rate the rate that applies
 * @param cost units to consume, from 0 to {@value Quota#MAX_LIMIT}, or to the {@linkplain QuotaUnit#maxLimit() maximum limit} of the
 *        rate's unit if that is larger; a reservation may be larger
 * @param reserved whether {@code cost} is an estimate that will be settled
 * @param fallback how to decide while Redis is unavailable; null for the configured fallback. If the checks of one request
 *        differ, {@code CLOSED} takes precedence over {@code LOCAL}, and {@code LOCAL} over {@code OPEN}
 */
public record ResourceCheck(String resource, Rate rate, long cost, boolean reserved, @Nullable FallbackPolicy fallback) {

    /** @throws IllegalArgumentException if the resource or the cost is out of range */
    public ResourceCheck {
        Identifiers.requireValid("resource", resource);
        if (cost < 0 || !reserved && cost > Quota.MAX_LIMIT && cost > maxCost(rate)) {
            throw new IllegalArgumentException("cost must be a whole number from 0 to " + maxCost(rate));
        }
    }

    /** Returns the maximum limit in the unit of the rate: of money, one call may cost more units than there can be requests. */
    private static long maxCost(Rate rate) {
        return rate.quotas().isEmpty() ? Quota.MAX_LIMIT : rate.quotas().get(0).unit().maxLimit();
    }

    /**
     * Creates a check of a known cost with the configured fallback.
     *
     * @throws IllegalArgumentException if the resource or the cost is out of range
     */
    public ResourceCheck(String resource, Rate rate, long cost) {
        this(resource, rate, cost, false, null);
    }

    /**
     * Creates a check that reserves an estimated cost.
     *
     * @param resource name of the resource, 1 to 256 characters
     * @param rate the rate that applies
     * @param estimate estimated units, at least 0
     * @throws IllegalArgumentException if the resource or the estimate is out of range
     */
    public static ResourceCheck reservation(String resource, Rate rate, long estimate) {
        return new ResourceCheck(resource, rate, estimate, true, null);
    }

    /**
     * Returns a copy with the given fallback.
     *
     * @param fallback how to decide while Redis is unavailable; null for the configured fallback
     */
    public ResourceCheck withFallback(@Nullable FallbackPolicy fallback) {
        return new ResourceCheck(resource, rate, cost, reserved, fallback);
    }

    /** Returns whether this check limits the requests in flight. */
    public boolean isConcurrency() {
        return !rate.quotas().isEmpty() && rate.quotas().get(0).unit() == QuotaUnit.CONCURRENT_REQUESTS;
    }

    /** Returns whether the check fails even in an unused window: the rate is blocked, or the cost is above a limit. */
    public boolean isUnsatisfiable() {
        return rate == Rate.BLOCKED || !reserved && exceedsLimit();
    }

    /** Returns whether the cost is above a limit. */
    public boolean exceedsLimit() {
        for (var quota : rate.quotas()) {
            if (cost > quota.limit()) {
                return true;
            }
        }
        return false;
    }
}
