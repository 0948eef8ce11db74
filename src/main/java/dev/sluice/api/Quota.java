package dev.sluice.api;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Maximum number of units in any period of the window's length: a sliding window, not a calendar one.
 *
 * @param limit maximum number of units, from 1 to {@link QuotaUnit#maxLimit()}
 * @param window length of the window, a whole number of seconds from one second to 31 days
 * @param unit unit of the limit
 */
public record Quota(long limit, Duration window, QuotaUnit unit) {

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
        if (window.compareTo(Duration.ofSeconds(1)) < 0 || window.compareTo(MAX_WINDOW) > 0 || window.toNanosPart() != 0) {
            throw new IllegalArgumentException("window must be a whole number of seconds from 1 to " + MAX_WINDOW.toSeconds());
        }
    }

    /**
     * Creates a quota of requests.
     *
     * @throws IllegalArgumentException if the limit or the window is out of range
     */
    public Quota(long limit, Duration window) {
        this(limit, window, QuotaUnit.REQUESTS);
    }

    /** Returns the length of the window, in seconds. */
    public long windowSeconds() {
        return window.toSeconds();
    }

    /**
     * Returns the JSON form, with the field names of the HTTP API. Jackson uses it.
     *
     * @return {@code limit}, {@code window_seconds}, and {@code unit} unless it is {@code requests}
     */
    @JsonValue
    public Map<String, Object> toMap() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("limit", unit.jsonAmount(limit));
        fields.put("window_seconds", windowSeconds());
        if (unit != QuotaUnit.REQUESTS) {
            fields.put("unit", unit.jsonName());
        }
        return fields;
    }

    /** Returns limit and window, for example {@code 10/60s}. */
    @Override
    public String toString() {
        return limit + "/" + window.toSeconds() + "s";
    }
}
