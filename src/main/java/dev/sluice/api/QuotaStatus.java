package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * State of one quota after a decision.
 *
 * @param identifier owner of the window
 * @param resource name of the resource
 * @param unit unit of the limit
 * @param limit maximum number of units per window; 0 for {@link Rate#BLOCKED}
 * @param window length of the window; zero for {@link Rate#BLOCKED} and {@link Rate#concurrency}
 * @param remaining units that are left, from 0 to {@code limit}
 * @param resetAt when the next unit becomes available again: the time at which the oldest counted unit leaves the window, or
 *        the time of the decision if nothing is counted; empty for {@link Rate#BLOCKED}, and for {@link Rate#concurrency} unless it
 *        was exceeded: then it is the time at which to try again
 * @param denied whether this quota was exceeded; set in a dry run, too
 * @param retryAt when the denied cost fits, provided that nothing else is counted meanwhile; empty if the quota was not
 *        exceeded, or if the cost never fits
 * @param period kind of the calendar period that is the window; null for a sliding window
 * @param shadow whether the quota denies nothing: it is only counted and reported
 */
public record QuotaStatus(String identifier, String resource, QuotaUnit unit, long limit, Duration window, long remaining,
        Optional<Instant> resetAt, boolean denied, Optional<Instant> retryAt, @Nullable CalendarPeriod period,
        boolean shadow) {

    /** Creates the state of a quota with a sliding window. */
    public QuotaStatus(String identifier, String resource, QuotaUnit unit, long limit, Duration window, long remaining,
            Optional<Instant> resetAt, boolean denied, Optional<Instant> retryAt) {
        this(identifier, resource, unit, limit, window, remaining, resetAt, denied, retryAt, null, false);
    }

    /** Creates the state of a quota that can deny requests. */
    public QuotaStatus(String identifier, String resource, QuotaUnit unit, long limit, Duration window, long remaining,
            Optional<Instant> resetAt, boolean denied, Optional<Instant> retryAt, @Nullable CalendarPeriod period) {
        this(identifier, resource, unit, limit, window, remaining, resetAt, denied, retryAt, period, false);
    }

    /**
     * Returns a copy with other units left.
     *
     * @param units units that are left, from 0 to the limit
     */
    public QuotaStatus withRemaining(long units) {
        return new QuotaStatus(identifier, resource, unit, limit, window, units, resetAt, denied, retryAt, period, shadow);
    }

    /** Returns a copy that denies nothing. */
    public QuotaStatus asShadow() {
        return new QuotaStatus(identifier, resource, unit, limit, window, remaining, resetAt, denied, retryAt, period, true);
    }

    /**
     * Returns the JSON form, with the field names of the HTTP API. Jackson uses it.
     *
     * @return {@code identifier}, {@code resource}, {@code limit}, {@code remaining}, {@code window_seconds}, {@code reset_at},
     *         {@code unit} unless it is {@code requests}, {@code denied}, {@code retry_at}, {@code period} of the calendar,
     *         {@code shadow} if it denies nothing. Times are Unix seconds, rounded up;
     *         what does not apply is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields.put("identifier", identifier);
        fields.put("resource", resource);
        putUsage(fields);
        fields.put("denied", denied);
        fields.put("retry_at", epochSeconds(retryAt));
        if (period != null) {
            fields.put("period", period.value());
        }
        if (shadow) {
            fields.put("shadow", true);
        }
        return fields;
    }

    void putUsage(Map<String, @Nullable Object> fields) {
        fields.put("limit", unit.jsonAmount(limit));
        fields.put("remaining", unit.jsonAmount(remaining));
        fields.put("window_seconds", window.isZero() ? null : window.toSeconds());
        fields.put("reset_at", epochSeconds(resetAt));
        if (unit != QuotaUnit.REQUESTS) {
            fields.put("unit", unit.jsonName());
        }
    }

    /** Returns Unix seconds, rounded up; null if there is no time. */
    private static @Nullable Long epochSeconds(Optional<Instant> time) {
        return time.map(instant -> instant.getEpochSecond() + (instant.getNano() > 0 ? 1 : 0)).orElse(null);
    }

    /** Returns whether this is a limit of the requests in flight. */
    boolean isConcurrency() {
        return unit == QuotaUnit.CONCURRENT_REQUESTS;
    }

    static QuotaStatus unused(String identifier, ResourceCheck check, Quota quota, Instant now) {
        return new QuotaStatus(identifier, check.resource(), quota.unit(), quota.limit(), quota.window(), quota.limit(),
                quota.unit() == QuotaUnit.CONCURRENT_REQUESTS ? Optional.empty() : Optional.of(now), false, Optional.empty(),
                quota.period(), false);
    }

    static QuotaStatus blocked(String identifier, String resource) {
        return new QuotaStatus(identifier, resource, QuotaUnit.REQUESTS, 0, Duration.ZERO, 0, Optional.empty(), true,
                Optional.empty());
    }
}
