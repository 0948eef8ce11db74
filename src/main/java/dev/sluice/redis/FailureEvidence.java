package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicInteger;

/** Consecutive errors and late responses, as evidence that Redis is unavailable. Thread-safe. */
final class FailureEvidence {

    static final int MAX_CONSECUTIVE_ERRORS = 3;
    static final int MAX_CONSECUTIVE_LATE = 5;

    private final AtomicInteger errors = new AtomicInteger();
    private final AtomicInteger late = new AtomicInteger();
    /** Listened time at which the last counted late response arrived. */
    private volatile long lastLateAt = Long.MIN_VALUE;

    /** Clears the counts after a response within the timeout, or when the circuit closes. */
    void clear() {
        // Mostly zero: a write would take the cache line from other threads.
        if (errors.get() > 0) {
            errors.set(0);
        }
        if (late.get() > 0) {
            late.set(0);
        }
    }

    /**
     * Adds an error.
     *
     * @return whether it is at least the last one that is tolerated
     */
    boolean addError() {
        return errors.incrementAndGet() >= MAX_CONSECUTIVE_ERRORS;
    }

    /**
     * Adds a late response. Responses to requests that were in flight together are one piece of evidence: the same stall has delayed
     * them.
     *
     * @param sentAt listened time at which the request was sent
     * @param now listened time
     * @return whether it is the last one that is tolerated
     */
    boolean addLate(long sentAt, long now) {
        if (sentAt < lastLateAt) {
            return false;
        }
        lastLateAt = now;
        return late.incrementAndGet() == MAX_CONSECUTIVE_LATE;
    }
}
