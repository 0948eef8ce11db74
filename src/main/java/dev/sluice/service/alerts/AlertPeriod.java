package dev.sluice.service.alerts;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

import dev.sluice.api.QuotaStatus;

/**
 * Period in which each threshold of a limit is reported once: that of a calendar window. A sliding window has no periods of its own: time is divided into
 * periods of its length, counted from 1970 in UTC, so that all instances agree.
 *
 * @param start its first moment
 * @param end the first moment of the next period
 */
record AlertPeriod(Instant start, Instant end) {

    /**
     * Returns the period of a decision: of a calendar window, of which a unit is used, that of the calendar.
     *
     * @param quota with a window that is not zero
     */
    static AlertPeriod of(QuotaStatus quota, Instant decidedAt) {
        if (quota.period() != null && quota.resetAt().isPresent()) {
            var end = quota.resetAt().get();
            return new AlertPeriod(end.minus(quota.window()), end);
        }
        long window = micros(quota.window());
        long start = Math.floorDiv(micros(decidedAt), window) * window;
        return new AlertPeriod(instant(start), instant(start + window));
    }

    /** Returns microseconds since 1970. */
    static long micros(Instant time) {
        return TimeUnit.SECONDS.toMicros(time.getEpochSecond()) + TimeUnit.NANOSECONDS.toMicros(time.getNano());
    }

    private static long micros(Duration duration) {
        return Math.max(1,
                TimeUnit.SECONDS.toMicros(duration.getSeconds()) + TimeUnit.NANOSECONDS.toMicros(duration.getNano()));
    }

    private static Instant instant(long micros) {
        long second = TimeUnit.SECONDS.toMicros(1);
        return Instant.ofEpochSecond(Math.floorDiv(micros, second),
                TimeUnit.MICROSECONDS.toNanos(Math.floorMod(micros, second)));
    }
}
