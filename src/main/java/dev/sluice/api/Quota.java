package dev.sluice.api;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Maximum number of units in any period of the window's length (a sliding window), or in each period of the calendar; or maximum
 * number of requests in flight.
 *
 * @param limit maximum number of units, from 1 to {@link QuotaUnit#maxLimit()}
 * @param window length of the window, a whole number of seconds from one second to 31 days; the nominal length of a calendar period;
 *        zero for {@link QuotaUnit#CONCURRENT_REQUESTS}
 * @param unit unit of the limit
 * @param period the calendar period; null for a sliding window
 */
public record Quota(long limit, Duration window, QuotaUnit unit, @Nullable CalendarPeriod period) {

    /** Maximum limit of a quota of requests or tokens, and maximum cost of a check. */
    public static final long MAX_LIMIT = 1_000_000_000;
    /** Maximum length of a window in seconds: 31 days. */
    public static final long MAX_WINDOW_SECONDS = 2_678_400;
    /** Maximum length of a window. */
    public static final Duration MAX_WINDOW = Duration.ofSeconds(MAX_WINDOW_SECONDS);

    /** @throws IllegalArgumentException if the limit or the window is out of range */
    public Quota {
        if (limit < 1 || limit > unit.maxLimit()) {
            throw new IllegalArgumentException("limit must be a whole number from 1 to " + unit.maxLimit());
        }
        if (unit == QuotaUnit.CONCURRENT_REQUESTS) {
            if (!window.isZero() || period != null) {
                throw new IllegalArgumentException("a limit of concurrent requests has no window");
            }
        } else if (window.compareTo(Duration.ofSeconds(1)) < 0 || window.compareTo(MAX_WINDOW) > 0
                || window.toNanosPart() != 0) {
            throw new IllegalArgumentException("window must be a whole number of seconds from 1 to " + MAX_WINDOW.toSeconds());
        }
        if (period != null && !window.equals(period.nominalLength())) {
            throw new IllegalArgumentException("window of a " + period.value() + " must be " + period.nominalLength());
        }
    }

    /**
     * Creates a quota with a sliding window.
     *
     * @throws IllegalArgumentException if the limit or the window is out of range
     */
    public Quota(long limit, Duration window, QuotaUnit unit) {
        this(limit, window, unit, null);
    }

    /**
     * Creates a quota for each period of the calendar.
     *
     * @throws IllegalArgumentException if the limit is out of range
     */
    public Quota(long limit, CalendarPeriod period, QuotaUnit unit) {
        this(limit, period.nominalLength(), unit, period);
    }

    /**
     * Creates a quota of requests.
     *
     * @throws IllegalArgumentException if the limit or the window is out of range
     */
    public Quota(long limit, Duration window) {
        this(limit, window, QuotaUnit.REQUESTS);
    }

    /** Returns whether both quotas count in the same window: of the same length, or of the same calendar period. */
    boolean hasSameWindow(Quota other) {
        return period == other.period && window.equals(other.window);
    }

    /** Returns the text form of the window: a length such as {@code 60s}, or the name of the calendar period. */
    String windowText() {
        return period == null ? window.toSeconds() + "s" : period.value();
    }

    /** Returns the length of the window, in seconds; the nominal one of a calendar period. */
    public long windowSeconds() {
        return window.toSeconds();
    }

    /**
     * Returns the JSON form, with the field names of the HTTP API. Jackson uses it.
     *
     * @return {@code limit}, {@code window_seconds} if there is a window, {@code period} if it is one of the calendar, and {@code unit} unless it is
     *         {@code requests}
     */
    @JsonValue
    public Map<String, Object> toMap() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("limit", unit.jsonAmount(limit));
        if (unit != QuotaUnit.CONCURRENT_REQUESTS) {
            fields.put("window_seconds", windowSeconds());
        }
        if (period != null) {
            fields.put("period", period.value());
        }
        if (unit != QuotaUnit.REQUESTS) {
            fields.put("unit", unit.jsonName());
        }
        return fields;
    }

    /** Returns limit and window, for example {@code 10/60s}, {@code 10/calendar-month} or {@code 2 concurrent}. */
    @Override
    public String toString() {
        return unit == QuotaUnit.CONCURRENT_REQUESTS ? limit + " concurrent" : limit + "/" + windowText();
    }
}
