package dev.sluice.api;

import java.util.Locale;

/** Where decisions are made at the moment. */
public enum DecisionMode {
    /** In Redis, exactly, over all instances together. */
    REDIS,
    /** In this instance's memory, because that is configured: no outage. */
    MEMORY,
    /** In this instance's memory, because Redis is out of reach. */
    LOCAL,
    /** Nowhere: everything is let pass, because Redis is out of reach. */
    OPEN,
    /** Nowhere: everything is refused, because Redis is out of reach. */
    CLOSED,
    /** Nowhere: limiting is switched off. */
    OFF;

    /** As it stands in health data, in {@code X-RateLimit-Mode} and in logs. */
    public String value() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether Redis should answer and does not. */
    public boolean isOutage() {
        return this == LOCAL || this == OPEN || this == CLOSED;
    }
}
