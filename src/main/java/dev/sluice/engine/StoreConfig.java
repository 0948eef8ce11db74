package dev.sluice.engine;

import java.time.Duration;

import dev.sluice.api.FallbackPolicy;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Where windows are kept, and what holds while Redis is out of reach. */
@ConfigMapping(prefix = "rate-limit")
public interface StoreConfig {

    /** {@code false}: nothing is limited and nothing counted. */
    @WithDefault("true")
    boolean enabled();

    /** {@code true}: everything is counted and reported, nothing refused. */
    @WithDefault("false")
    boolean dryRun();

    /** What answers while Redis is out of reach, where a row does not say otherwise. */
    @WithDefault("local")
    FallbackPolicy fallback();

    /** The longest that a decision waits for Redis. */
    @WithDefault("100ms")
    Duration timeout();

    /** The largest limit that is counted exactly; larger ones are kept in sub-windows. At most 10,000. */
    @WithDefault("10000")
    long exactUpTo();

    /**
     * {@code true}: before an instance is ready, it makes some thousands of decisions on scratch windows, for about two seconds at
     * most, so that its first burst is decided as fast as later ones. A native program has nothing to warm.
     */
    @WithDefault("false")
    boolean warmUp();

    /** How many instances there are, for one that starts while Redis is out of reach. 1 to 10,000. */
    @WithDefault("1")
    int instances();

    /** The windows of this instance's memory. */
    Memory memory();

    interface Memory {

        /** About how much memory they may take; beyond that, identifiers not seen for long are forgotten. */
        @WithDefault("64M")
        MemorySize maxSize();
    }
}
