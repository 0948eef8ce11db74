package dev.sluice.service.overview;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.QuotaStatus;
import dev.sluice.store.WindowKey;

/** Kinds of stored windows. Of a calendar period, the store has begin and length only. */
final class WindowPeriods {

    private static final Duration MAX_DAY = Duration.ofDays(2);
    private static final Duration MAX_WEEK = Duration.ofDays(10);

    private WindowPeriods() {
    }

    /** Returns the kind of the calendar period; null for a sliding window. A day may have 25 hours, a month 28 days. */
    static @Nullable CalendarPeriod of(WindowKey window) {
        if (!window.isCalendar()) {
            return null;
        }
        long seconds = window.span() / 1_000_000;
        return seconds < MAX_DAY.toSeconds()
                ? CalendarPeriod.DAY
                : seconds < MAX_WEEK.toSeconds()
                        ? CalendarPeriod.WEEK
                        : CalendarPeriod.MONTH;
    }

    /** Returns whether a quota counts in a window of its resource. */
    static boolean counts(QuotaStatus quota, WindowKey window) {
        return quota.period() == of(window)
                && (quota.period() != null || quota.window().toSeconds() * 1_000_000 == window.span());
    }
}
