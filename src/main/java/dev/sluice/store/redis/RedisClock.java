package dev.sluice.store.redis;

import java.util.concurrent.TimeUnit;

/**
 * Redis's clock, as its answers tell: between two bounds, because it was read at some time between question and answer.
 */
public final class RedisClock {

    /** By how much the two clocks may part between two answers, which come twice a second at least. */
    private static final long TOLERANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long UNKNOWN = Long.MIN_VALUE;

    /** From {@link System#nanoTime} to Redis's time in nanoseconds: at the most, and at the least. */
    private volatile long maxOffset = UNKNOWN;
    private volatile long minOffset = UNKNOWN;
    private volatile Runnable setBackListener = () -> {
    };

    /** @param listener hears that Redis's clock was set back, or that this is another one */
    void onSetBack(Runnable listener) {
        setBackListener = listener;
    }

    /**
     * Learns from an answer.
     *
     * @param serverMicros what it says, in microseconds
     * @param sentAt when it was asked for, by {@link System#nanoTime}
     */
    void update(long serverMicros, long sentAt, long receivedAt) {
        long nanos = TimeUnit.MICROSECONDS.toNanos(serverMicros);
        boolean setBack = minOffset != UNKNOWN && nanos - sentAt < minOffset - TOLERANCE_NANOS;
        maxOffset = nanos - sentAt;
        minOffset = nanos - receivedAt;
        if (setBack) {
            setBackListener.run();
        }
    }

    boolean isKnown() {
        return minOffset != UNKNOWN;
    }

    /** The latest that it can be there, in microseconds. */
    long latest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + maxOffset) + 1;
    }

    /** The earliest that it can be there. */
    long earliest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + minOffset);
    }
}
