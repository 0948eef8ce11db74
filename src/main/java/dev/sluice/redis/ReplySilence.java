package dev.sluice.redis;

/**
 * Measures how long one connection has been silent while requests were in flight, in listened time. Used on its event loop only.
 */
final class ReplySilence {

    private final ListenedClock clock;
    private int inFlight;
    private long since;

    ReplySilence(ListenedClock clock) {
        this.clock = clock;
    }

    /** A request is sent. Returns how many are in flight, this one included. */
    int sent() {
        if (inFlight == 0) {
            since = clock.at(System.nanoTime());
        }
        return ++inFlight;
    }

    /** A response was received. */
    void received() {
        since = clock.at(System.nanoTime());
        inFlight--;
    }

    boolean isBusy() {
        return inFlight > 0;
    }

    /** Returns the listened nanoseconds since the last response, or since the oldest request in flight; 0 when idle. */
    long nanos() {
        return inFlight == 0 ? 0 : clock.listened() - since;
    }
}
