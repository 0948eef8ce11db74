package dev.sluice.store.redis;

import java.util.concurrent.TimeUnit;

/**
 * Estimates Redis's clock from its replies, as a lower and an upper bound: the clock was read between request and reply.
 */
public final class RedisClock {

    /** Maximum drift of the two clocks between replies, which arrive at least twice a second. */
    private static final long TOLERANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long UNKNOWN = Long.MIN_VALUE;

    /** Upper and lower bound of the offset from {@link System#nanoTime} to Redis's time, in nanoseconds. */
    private volatile long maxOffset = UNKNOWN;
    private volatile long minOffset = UNKNOWN;
    private volatile Runnable setBackListener = () -> {
    };

    /** @param listener called when Redis's clock was set back, or another Redis with an earlier clock replies */
    void onSetBack(Runnable listener) {
        setBackListener = listener;
    }

    /**
     * Updates the bounds from a reply.
     *
     * @param serverMicros Redis's time in the reply, in microseconds since 1970
     * @param sentAt when the request was sent, by {@link System#nanoTime}
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

    /** Returns the upper bound of Redis's time, in microseconds. */
    long latest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + maxOffset) + 1;
    }

    /** Returns the lower bound of Redis's time, in microseconds. */
    long earliest(long now) {
        return TimeUnit.NANOSECONDS.toMicros(now + minOffset);
    }
}
