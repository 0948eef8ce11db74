package dev.sluice.config;

import java.time.Clock;

import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import io.smallrye.common.annotation.Identifier;

/**
 * Clock of windows and ledger that are kept in memory: the application's bean {@code @Identifier("rate-limit") Clock} if there is
 * one, so that tests can set the time, otherwise the system's. Windows in Redis follow Redis's clock.
 */
@Singleton
public class InMemoryClock {

    /** Identifier of the application's bean. */
    public static final String IDENTIFIER = "rate-limit";

    private final Clock clock;
    private final boolean replaced;

    @Inject
    InMemoryClock(@Identifier(IDENTIFIER) Instance<Clock> clocks) {
        replaced = clocks.isResolvable();
        clock = replaced ? clocks.get() : Clock.systemUTC();
    }

    /** Returns the clock. */
    public Clock clock() {
        return clock;
    }

    /** Returns whether the application provides the clock. */
    public boolean isReplaced() {
        return replaced;
    }
}
