package dev.sluice.engine;

import java.time.Duration;

import dev.sluice.api.FallbackPolicy;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the window store and of the fallback while Redis is unavailable. */
@ConfigMapping(prefix = "rate-limit")
public interface StoreConfig {

    /** {@code false}: nothing is limited or counted. */
    @WithDefault("true")
    boolean enabled();

    /** {@code true}: everything is counted and reported, nothing is denied. */
    @WithDefault("false")
    boolean dryRun();

    /** Time zone whose midnights begin calendar days, weeks and months: an id of {@link java.time.ZoneId}. */
    @WithDefault("UTC")
    String timeZone();

    /** Policy while Redis is unavailable, for rules that do not set their own. */
    @WithDefault("local")
    FallbackPolicy fallback();

    /** Maximum time a decision waits for Redis. 1 ms to 1 min. */
    @WithDefault("100ms")
    Duration timeout();

    /** Largest limit that is counted exactly; larger ones are counted in sub-windows. 1 to 10,000. */
    @WithDefault("10000")
    long exactUpTo();

    /**
     * Maximum number of windows of one identifier: a request that needs a further one is denied until another one expires. 32 to
     * 10,000.
     */
    @WithDefault("1000")
    int maxWindowsPerIdentifier();

    /**
     * {@code true}: before an instance is ready, it makes some thousands of decisions on scratch windows, for about two seconds at
     * most, so that its first burst is decided as fast as later ones. Has no effect in a native executable.
     */
    @WithDefault("false")
    boolean warmUp();

    /** Number of instances, used by one that starts while Redis is unavailable. 1 to 10,000. */
    @WithDefault("1")
    int instances();

    /** Requests that wait for room: {@link dev.sluice.api.RateLimiter#acquire}. */
    Acquire acquire();

    interface Acquire {

        /** Maximum number of requests that wait in this instance; further ones are decided without waiting. 0 to 1,000,000. */
        @WithDefault("10000")
        int maxWaiters();
    }

    /** Windows in this instance's memory. */
    Memory memory();

    interface Memory {

        /**
         * Approximate memory limit of the windows; beyond it, the identifiers that use the smallest share of their limits are evicted.
         * At least 1M.
         */
        @WithDefault("64M")
        MemorySize maxSize();
    }
}
