package dev.sluice.store;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.TemporalAdjusters;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.WindowUsage;

/**
 * One period of a calendar: a day, a week from Monday, or a month, from midnight to midnight in a time zone. The periods of a zone
 * follow each other without gaps and do not overlap. Where the clocks are changed at midnight, a day begins with its first moment.
 *
 * @param start Unix seconds of the first moment
 * @param end Unix seconds of the first moment of the next period
 */
public record CalendarWindow(CalendarPeriod period, ZoneId zone, long start, long end) {

    private static final long MICROS = 1_000_000;

    /** Returns the period of a time in microseconds. */
    public static CalendarWindow at(CalendarPeriod period, ZoneId zone, long micros) {
        long seconds = Math.floorDiv(micros, MICROS);
        var first = firstDay(period, Instant.ofEpochSecond(seconds).atZone(zone).toLocalDate());
        // A midnight that occurs twice is the first one, so that the date of a later moment may be that of the day before.
        if (seconds >= startOf(next(period, first), zone)) {
            first = next(period, first);
        }
        return new CalendarWindow(period, zone, startOf(first, zone), startOf(next(period, first), zone));
    }

    private static LocalDate firstDay(CalendarPeriod period, LocalDate date) {
        return switch (period) {
            case DAY -> date;
            case WEEK -> date.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
            case MONTH -> date.withDayOfMonth(1);
        };
    }

    private static LocalDate next(CalendarPeriod period, LocalDate first) {
        return switch (period) {
            case DAY -> first.plusDays(1);
            case WEEK -> first.plusWeeks(1);
            case MONTH -> first.plusMonths(1);
        };
    }

    private static long startOf(LocalDate date, ZoneId zone) {
        return date.atStartOfDay(zone).toEpochSecond();
    }

    /** Returns the period of a time in microseconds: this one, if it contains the time. */
    public CalendarWindow at(long micros) {
        return contains(micros) ? this : at(period, zone, micros);
    }

    /** Returns whether a time in microseconds is in this period. */
    public boolean contains(long micros) {
        return micros >= startMicros() && micros < endMicros();
    }

    /** Returns the first moment, in microseconds since 1970. */
    public long startMicros() {
        return start * MICROS;
    }

    /** Returns the first moment of the next period, in microseconds since 1970. */
    public long endMicros() {
        return end * MICROS;
    }

    /** Returns the usage of this period. */
    public WindowUsage usage(String identifier, String resource, long used) {
        return new WindowUsage(identifier, resource, used, Duration.ofSeconds(end - start), Instant.ofEpochSecond(end));
    }

    /** Returns the length in microseconds. */
    public long span() {
        return (end - start) * MICROS;
    }
}
