package dev.sluice.api;

import java.time.Duration;

/**
 * At most {@code limit} units in any window of length {@code window}, placed anywhere (a sliding window, not a calendar one).
 *
 * @param limit units, from 1 to {@link QuotaUnit#maxLimit()}
 * @param window whole seconds, from one second to 31 days
 * @param unit what is counted
 */
public record Quota(long limit, Duration window, QuotaUnit unit) {

    /** The largest limit of requests. */
    public static final long MAX_LIMIT = 1_000_000_000;
    public static final Duration MAX_WINDOW = Duration.ofDays(31);

    public Quota {
        if (limit < 1 || limit > unit.maxLimit()) {
            throw new IllegalArgumentException("a limit is a whole number from 1 to " + unit.maxLimit());
        }
        if (window.compareTo(Duration.ofSeconds(1)) < 0 || window.compareTo(MAX_WINDOW) > 0 || window.toNanosPart() != 0) {
            throw new IllegalArgumentException("a window is a whole number of seconds from 1 to " + MAX_WINDOW.toSeconds());
        }
    }

    /** A quota of requests. */
    public Quota(long limit, Duration window) {
        this(limit, window, QuotaUnit.REQUESTS);
    }

    public long windowSeconds() {
        return window.toSeconds();
    }

    @Override
    public String toString() {
        return limit + "/" + window.toSeconds() + "s";
    }
}
