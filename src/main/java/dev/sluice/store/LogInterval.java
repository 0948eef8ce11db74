package dev.sluice.store;

import java.util.concurrent.atomic.AtomicLong;

/** Lets at most one log line pass in each interval. Thread-safe. */
public final class LogInterval {

    private final long nanos;
    private final AtomicLong passedAt;

    /**
     * @param nanos length of the interval in nanoseconds
     * @param now current time, as {@link System#nanoTime}
     */
    public LogInterval(long nanos, long now) {
        this.nanos = nanos;
        this.passedAt = new AtomicLong(now - nanos);
    }

    /** Returns whether a line may be logged; begins the next interval if so. */
    public boolean tryPass(long now) {
        long previous = passedAt.get();
        return now - previous >= nanos && passedAt.compareAndSet(previous, now);
    }
}
