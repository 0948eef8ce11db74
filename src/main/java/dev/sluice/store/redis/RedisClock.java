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
    private volatile long most = UNKNOWN;
    private volatile long least = UNKNOWN;
    private volatile Runnable whenSetBack = () -> {
    };

    /** @param listener hears that Redis's clock was set back, or that this is another one */
    void onSetBack(Runnable listener) {
        whenSetBack = listener;
    }

    /**
     * Learns from an answer.
     *
     * @param clock what it says, in microseconds
     * @param sent when it was asked for, by {@link System#nanoTime}
     */
    void heard(long clock, long sent, long received) {
        long nanos = TimeUnit.MICROSECONDS.toNanos(clock);
        boolean setBack = least != UNKNOWN && nanos - sent < least - TOLERANCE_NANOS;
        most = nanos - sent;
        least = nanos - received;
        if (setBack) {
            whenSetBack.run();
        }
    }

    boolean known() {
        return least != UNKNOWN;
    }

    /** The latest that it can be there, in microseconds. */
    long latest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + most) + 1;
    }

    /** The earliest that it can be there. */
    long earliest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + least);
    }
}
