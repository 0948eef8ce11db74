package dev.sluice.service.rls;

import java.util.List;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.Rate;

/**
 * Limit of a descriptor: one or several windows, all of which must hold, or unlimited, or blocked.
 *
 * @param kind whether there are windows
 * @param windows empty unless the kind is {@link Kind#WINDOWS}
 */
record NodeLimit(Kind kind, List<Window> windows) {

    enum Kind {
        WINDOWS, UNLIMITED, BLOCKED
    }

    /**
     * A window.
     *
     * @param limit units per window, at least 1
     * @param seconds length of the window; the nominal one of a calendar period
     * @param period the calendar period; null for a sliding window
     */
    record Window(long limit, long seconds, CalendarPeriod period) {

        /** Returns whether a window of a response, in seconds, is this one: a period of the calendar has various lengths. */
        boolean hasLength(long length) {
            long shorter = period == CalendarPeriod.MONTH ? MONTH_TOLERANCE : CLOCK_CHANGE;
            return period == null
                    ? length == seconds
                    : length >= seconds - shorter && length <= seconds + CLOCK_CHANGE;
        }
    }

    /** Seconds by which a day, and a month, may be shorter than the nominal length; a day can be missing altogether. */
    private static final long CLOCK_CHANGE = 2 * 3600;
    private static final long MONTH_TOLERANCE = 4 * 86_400 + CLOCK_CHANGE;

    static final NodeLimit UNLIMITED = new NodeLimit(Kind.UNLIMITED, List.of());
    static final NodeLimit BLOCKED = new NodeLimit(Kind.BLOCKED, List.of());

    static NodeLimit of(long limit, long seconds) {
        return limit == 0 ? BLOCKED : new NodeLimit(Kind.WINDOWS, List.of(new Window(limit, seconds, null)));
    }

    static NodeLimit of(Rate rate) {
        return rate == Rate.UNLIMITED
                ? UNLIMITED
                : rate == Rate.BLOCKED
                        ? BLOCKED
                        : new NodeLimit(Kind.WINDOWS, rate.quotas().stream()
                                .map(quota -> new Window(quota.limit(), quota.windowSeconds(), quota.period())).toList());
    }
}
