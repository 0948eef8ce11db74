package dev.sluice.directory.cache;

import java.util.concurrent.TimeUnit;

/**
 * Estimate of Redis's clock, by which keys expire at the same time on all instances. It is accurate to the time of a reply, and
 * goes on while Redis is away. Thread-safe.
 */
final class RedisTime {

    private static final long UNKNOWN = Long.MIN_VALUE;

    /** Difference of Redis's clock and {@link System#nanoTime}, in microseconds. */
    private volatile long offset = UNKNOWN;

    /** @param serverMicros time in a reply that has just arrived, in microseconds since 1970 */
    void update(long serverMicros) {
        offset = serverMicros - TimeUnit.NANOSECONDS.toMicros(System.nanoTime());
    }

    /** Returns the time in microseconds since 1970; by this instance's clock before the first reply. */
    long micros() {
        long current = offset;
        return current == UNKNOWN
                ? TimeUnit.MILLISECONDS.toMicros(System.currentTimeMillis())
                : TimeUnit.NANOSECONDS.toMicros(System.nanoTime()) + current;
    }
}
