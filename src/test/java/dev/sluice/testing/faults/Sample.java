package dev.sluice.testing.faults;

/**
 * Result of one request.
 *
 * @param sentNanos and received: nanoseconds of {@link System#nanoTime()}
 * @param receivedNanos time of the response, by {@link System#nanoTime()}
 * @param instance number of the instance
 */
record Sample(long sentNanos, long receivedNanos, int instance, String identity, int status, String mode) {

    boolean admitted() {
        return status == 200;
    }

    long latencyMillis() {
        return (receivedNanos - sentNanos) / 1_000_000;
    }
}
