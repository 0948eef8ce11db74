package dev.sluice.store;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;

/**
 * What a decision asks of one window.
 *
 * @param resource names the window, with the identifier and the length
 * @param span the window's length in microseconds
 * @param limit units per window
 * @param unit what is counted
 * @param cost units asked for
 * @param reserved whether the cost is an estimate, to be settled
 * @param share units per window that may be used here: the limit, or this instance's part of it while Redis is out of reach
 * @param fallback what answers while Redis is out of reach
 */
public record WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
        FallbackPolicy fallback) {

    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved) {
        this(resource, span, limit, unit, cost, reserved, limit, FallbackPolicy.LOCAL);
    }

    /** Whether every single unit's time is kept, or counts of sub-windows. */
    public boolean isExact(long exactUpTo) {
        return unit == QuotaUnit.REQUESTS && !reserved && limit <= exactUpTo;
    }

    /** The same under a part of the limit; an estimate is never more than that, so that an empty window has room. */
    public WindowClaim withShare(long share) {
        return new WindowClaim(resource, span, limit, unit, reserved ? Math.min(cost, share) : cost, reserved, share, fallback);
    }
}
