package dev.sluice.llm.limit;

import java.util.concurrent.TimeUnit;

/**
 * Calls in flight of one identifier that reserve less than they may use. There may be only a few: each may cost more than it has
 * reserved. Thread-safe.
 */
final class CallsInFlight {

    /** Maximum number of calls that reserve less than one without a history does. */
    static final int MAXIMUM = 16;
    /** In place of a slot: there is none. */
    static final int NONE = -1;

    /** Time after which a call is no longer taken for in flight: checks through the API whose usage is never reported. */
    private static final long MAX_CALL_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final long maxCallNanos;
    private final long[] startedAt;
    private final boolean[] taken;

    /** Creates slots for calls that reserve less than one without a history does. */
    CallsInFlight() {
        this(MAXIMUM, MAX_CALL_NANOS);
    }

    /**
     * @param maximum number of slots
     * @param maxCallNanos time after which a call is no longer taken for in flight
     */
    CallsInFlight(int maximum, long maxCallNanos) {
        this.maxCallNanos = maxCallNanos;
        startedAt = new long[maximum];
        taken = new boolean[maximum];
    }

    /** Returns the slot of a call that begins; {@link #NONE} if all are taken. */
    synchronized int begin(long nanos) {
        for (int i = 0; i < taken.length; i++) {
            if (!taken[i] || nanos - startedAt[i] >= maxCallNanos) {
                taken[i] = true;
                startedAt[i] = nanos;
                return i;
            }
        }
        return NONE;
    }

    /**
     * Ends a call. Without effect if it has ended before.
     *
     * @param slot from {@link #begin}
     * @param nanos the time at which it began
     */
    synchronized void end(int slot, long nanos) {
        if (slot != NONE && startedAt[slot] == nanos) {
            taken[slot] = false;
        }
    }
}
