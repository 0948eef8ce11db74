package dev.sluice.store;

import java.util.List;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;

/**
 * Request for units of one window.
 *
 * @param resource identifies the window, together with the identifier and the length
 * @param span the window's length in microseconds: of a calendar window, the length of its period; 0 for slots of requests in flight
 * @param limit units per window
 * @param unit what is counted
 * @param cost units requested
 * @param reserved whether the cost is an estimate that is settled later
 * @param share units per window that this instance may grant: the limit, or its share of the limit while Redis is unavailable
 * @param fallback the policy that applies while Redis is unavailable
 * @param enforcement effect on the decision; other than {@link Enforcement#ENFORCED} in a {@link JointRequest} only
 * @param calendar the period of a calendar window; null for a sliding window
 */
public record WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
        FallbackPolicy fallback, Enforcement enforcement, CalendarWindow calendar) {

    /** Creates a claim of a sliding window. */
    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
            FallbackPolicy fallback, Enforcement enforcement) {
        this(resource, span, limit, unit, cost, reserved, share, fallback, enforcement, null);
    }

    /** Creates a claim of a sliding window that must fit. */
    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved, long share,
            FallbackPolicy fallback) {
        this(resource, span, limit, unit, cost, reserved, share, fallback, Enforcement.ENFORCED);
    }

    public WindowClaim(String resource, long span, long limit, QuotaUnit unit, long cost, boolean reserved) {
        this(resource, span, limit, unit, cost, reserved, limit, FallbackPolicy.LOCAL);
    }

    /** Returns whether this is a claim of slots of requests in flight, which have no window. */
    public boolean isConcurrency() {
        return unit == QuotaUnit.CONCURRENT_REQUESTS;
    }

    /** Returns the claims of windows: the same list, if there are no others. */
    public static List<WindowClaim> ofWindows(List<WindowClaim> claims) {
        for (var claim : claims) {
            if (claim.isConcurrency()) {
                return claims.stream().filter(each -> !each.isConcurrency()).toList();
            }
        }
        return claims;
    }

    /** Returns whether the time of every unit is kept (sliding log), rather than counts per sub-window. */
    public boolean isExact(long exactUpTo) {
        return unit == QuotaUnit.REQUESTS && !reserved && enforcement != Enforcement.CHARGED && limit <= exactUpTo;
    }

    /** Returns a copy for this period of the calendar; null for a sliding window of the same length. */
    public WindowClaim in(CalendarWindow period) {
        return new WindowClaim(resource, period == null ? span : period.span(), limit, unit, cost, reserved, share, fallback,
                enforcement, period);
    }

    /** Returns the claim for the period of a time in microseconds: this one, unless its period does not contain the time. */
    public WindowClaim at(long micros) {
        return calendar == null || calendar.contains(micros) ? this : in(calendar.at(micros));
    }

    /** Returns a copy with another effect on the decision, that is not settled later. */
    public WindowClaim with(Enforcement effect) {
        return new WindowClaim(resource, span, limit, unit, cost, false, share, fallback, effect, calendar);
    }

    /** Returns whether another claim is for a window of the same kind: of the same length, or of the same calendar period. */
    public boolean hasSameWindow(WindowClaim other) {
        return resource.equals(other.resource) && (calendar == null || other.calendar == null
                ? calendar == other.calendar && span == other.span
                : calendar.period() == other.calendar.period());
    }

    /** Returns a copy that denies nothing. Without Redis, it does not make the decision fail. */
    public WindowClaim asShadow() {
        return new WindowClaim(resource, span, limit, unit, cost, reserved, share,
                fallback == FallbackPolicy.CLOSED ? FallbackPolicy.OPEN : fallback, Enforcement.SHADOW, calendar);
    }

    /** Returns a copy with this share of the limit. An estimate is reduced to the share, so that it fits an empty window. */
    public WindowClaim withShare(long share) {
        return new WindowClaim(resource, span, limit, unit, reserved ? Math.min(cost, share) : cost, reserved, share, fallback,
                enforcement, calendar);
    }
}
