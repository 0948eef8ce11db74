package dev.sluice.store;

/**
 * Identifies one of an identifier's windows.
 *
 * @param span the window's length in microseconds
 * @param start of a calendar window, the begin of its period in Unix seconds; otherwise {@link #SLIDING}
 */
public record WindowKey(String resource, long span, long start) {

    /** {@link #start()} of a sliding window. */
    public static final long SLIDING = -1;

    /** Identifies a sliding window. */
    public WindowKey(String resource, long span) {
        this(resource, span, SLIDING);
    }

    public static WindowKey of(WindowClaim claim) {
        return new WindowKey(claim.resource(), claim.span(), claim.calendar() == null ? SLIDING : claim.calendar().start());
    }

    /** Returns whether the window is a period of the calendar. */
    public boolean isCalendar() {
        return start != SLIDING;
    }

    /** Returns the end of a calendar window in microseconds since 1970; {@link Long#MAX_VALUE} for a sliding window. */
    public long end() {
        return isCalendar() ? start * 1_000_000 + span : Long.MAX_VALUE;
    }

    /** Returns whether units count in this window at a time: those of a sliding window do at any time. */
    public boolean contains(long micros) {
        return !isCalendar() || micros >= start * 1_000_000 && micros < end();
    }

    /** Returns the window's length for the scripts: microseconds, and {@code @} and the start of a calendar window. */
    public String length() {
        return isCalendar() ? span + "@" + start : Long.toString(span);
    }
}
