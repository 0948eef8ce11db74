package dev.sluice.testing.faults;

/**
 * One request and what came of it.
 *
 * @param sent and received: nanoseconds of {@link System#nanoTime()}
 * @param status 0 where there was no answer
 * @param mode the header X-RateLimit-Mode; null where it is missing
 */
record Sample(long sent, long received, int instance, String identity, int status, String mode) {

    boolean admitted() {
        return status == 200;
    }

    long latencyMillis() {
        return (received - sent) / 1_000_000;
    }
}
