package dev.sluice.testing;

import java.time.Duration;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * Waits for conditions of the program under test. Awaitility's own defaults wait 100 ms before a condition is evaluated for the
 * first time, and between evaluations, which is longer than most conditions take.
 */
public final class Polling {

    private static final Duration INTERVAL = Duration.ofMillis(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private Polling() {
    }

    /** Evaluates at once and then every 10 ms, for up to 60 s. */
    public static ConditionFactory await() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(INTERVAL).atMost(TIMEOUT);
    }
}
