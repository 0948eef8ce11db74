package dev.sluice.store;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;

/**
 * Request for units of one window.
 *
 * @param resource identifies the window, together with the identifier and the length
 * @param span the window's length in microseconds
 * @param limit units per window
 * @param unit what is counted
 * @param cost units requested
 * @param reserved whether the cost is an estimate that is settled later
 * @param share units per window that this instance may grant: the limit, or its share of the limit while Redis is unavailable
 * @param fallback the policy that applies while Redis is unavailable
 * @param enforcement effect on the decision; other than {@link Enforcement#ENFORCED} in a {@link JointRequest} only
 */
public record WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
        FallbackPolicy fallback, Enforcement enforcement) {

    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
            FallbackPolicy fallback) {
        this(resource, span, limit, unit, cost, reserved, share, fallback, Enforcement.ENFORCED);
    }

    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved) {
        this(resource, span, limit, unit, cost, reserved, limit, FallbackPolicy.LOCAL);
    }

    /** Returns whether the time of every unit is kept (sliding log), rather than counts per sub-window. */
    public boolean isExact(long exactUpTo) {
        return unit == QuotaUnit.REQUESTS && !reserved && enforcement != Enforcement.CHARGED && limit <= exactUpTo;
    }

    /** Returns a copy with this share of the limit. An estimate is reduced to the share, so that it fits an empty window. */
    public WindowClaim withShare(long share) {
        return new WindowClaim(resource, span, limit, unit, reserved ? Math.min(cost, share) : cost, reserved, share, fallback,
                enforcement);
    }
}
