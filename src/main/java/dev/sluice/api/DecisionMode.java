package dev.sluice.api;

import java.util.Locale;

import com.fasterxml.jackson.annotation.JsonValue;

/** Place at which decisions are made. */
public enum DecisionMode {
    /** In Redis: exact across all instances. */
    REDIS,
    /** In the memory of this instance, as configured; not an outage. */
    MEMORY,
    /** In the memory of this instance, as a fallback while Redis is unavailable. */
    LOCAL,
    /** Nowhere: every request is allowed while Redis is unavailable (fail-open). */
    OPEN,
    /** Nowhere: every request is rejected while Redis is unavailable (fail-closed). */
    CLOSED,
    /** Nowhere: rate limiting is disabled. */
    OFF;

    /** Returns the value in health data, in {@code X-RateLimit-Mode} and in logs, for example {@code redis}. */
    @JsonValue
    public String value() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns whether Redis is configured but unavailable. */
    public boolean isOutage() {
        return this == LOCAL || this == OPEN || this == CLOSED;
    }
}
