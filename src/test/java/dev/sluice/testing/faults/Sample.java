package dev.sluice.testing.faults;

/**
 * One request and what came of it.
 *
 * @param sentNanos and received: nanoseconds of {@link System#nanoTime()}
 * @param status 0 where there was no answer
 * @param mode the header X-RateLimit-Mode; null where it is missing
 */
record Sample(long sentNanos, long receivedNanos, int instance, String identity, int status, String mode) {

    boolean admitted() {
        return status == 200;
    }

    long latencyMillis() {
        return (receivedNanos - sentNanos) / 1_000_000;
    }
}
