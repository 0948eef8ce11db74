package dev.sluice.testing.faults;

/**
 * Result of one request.
 *
 * @param sentNanos time of the request, by {@link System#nanoTime()}
 * @param receivedNanos time of the response, by {@link System#nanoTime()}
 * @param instance number of the instance
 * @param identity value of {@code identifier}
 * @param status HTTP status; 0 if there was no response
 * @param mode value of X-RateLimit-Mode; null if it is missing
 */
record Sample(long sentNanos, long receivedNanos, int instance, String identity, int status, String mode) {

    boolean admitted() {
        return status == 200;
    }

    long latencyMillis() {
        return (receivedNanos - sentNanos) / 1_000_000;
    }
}
