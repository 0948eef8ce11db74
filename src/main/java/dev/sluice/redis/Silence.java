package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Measures how long one connection has been silent while requests were in flight, in listened time. Thread-safe.
 */
final class Silence {

    private final ListenedClock clock;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile long since;

    Silence(ListenedClock clock) {
        this.clock = clock;
    }

    /** A request is sent. Returns how many are in flight, this one included. */
    int sent() {
        if (inFlight.get() == 0) {
            since = clock.at(System.nanoTime()); // before it is in flight: another thread may look at once
        }
        return inFlight.incrementAndGet();
    }

    /** A response was received, or the request was not sent after all. */
    void received() {
        since = clock.at(System.nanoTime());
        inFlight.decrementAndGet();
    }

    boolean busy() {
        return inFlight.get() > 0;
    }

    /** Returns the listened nanoseconds since the last response, or since the oldest request in flight; 0 when idle. */
    long nanos() {
        return inFlight.get() == 0 ? 0 : clock.listened() - since;
    }
}
