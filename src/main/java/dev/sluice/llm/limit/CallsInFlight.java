package dev.sluice.llm.limit;

import java.util.concurrent.TimeUnit;

/**
 * Calls in flight of one identifier and provider that reserve less than a call without a history does. There may be only a few:
 * they cost more than they have reserved if they are unlike those before, of whatever models they are. Thread-safe.
 */
final class CallsInFlight {

    /** Maximum number of such calls. */
    static final int MAXIMUM = 16;
    /** In place of a slot: there is none. */
    static final int NONE = -1;

    /** Time after which a call is no longer taken for in flight: checks through the API whose usage is never reported. */
    private static final long MAX_CALL_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final long[] startedAt = new long[MAXIMUM];
    private final boolean[] taken = new boolean[MAXIMUM];

    /** Returns the slot of a call that begins; {@link #NONE} if all are taken. */
    synchronized int begin(long nanos) {
        for (int i = 0; i < MAXIMUM; i++) {
            if (!taken[i] || nanos - startedAt[i] >= MAX_CALL_NANOS) {
                taken[i] = true;
                startedAt[i] = nanos;
                return i;
            }
        }
        return NONE;
    }

    /**
     * Ends a call.
     *
     * @param slot from {@link #begin}
     * @param nanos the time at which it began
     */
    synchronized void end(int slot, long nanos) {
        if (slot != NONE && startedAt[slot] == nanos) {
            taken[slot] = false;
        }
    }

    /** Ends the call that has begun first; it is not known which one has ended. */
    synchronized void endOldest() {
        int oldest = NONE;
        for (int i = 0; i < MAXIMUM; i++) {
            if (taken[i] && (oldest == NONE || startedAt[i] - startedAt[oldest] < 0)) {
                oldest = i;
            }
        }
        if (oldest != NONE) {
            taken[oldest] = false;
        }
    }
}
