package dev.sluice.redis;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** What is kept in Redis, and under which names. */
@ConfigMapping(prefix = "rate-limit.redis")
public interface RedisConnectionConfig {

    /** {@code false}: everything is kept in memory only, and no connection is tried. */
    @WithDefault("true")
    boolean enabled();

    /** What every key begins with. Applications that share a Redis and not their windows set their own. */
    @WithDefault("sluice")
    String keyPrefix();

    /**
     * A secret that all instances share, with which identifiers are spread over the slots of a cluster. Without it a caller who
     * chooses identifiers can make them fall on one slot. Changing it begins all windows anew.
     */
    Optional<String> hashKey();

    /** How many requests may wait for Redis's answer; beyond that the fallback answers at once. 1,000 to 1,000,000. */
    @WithDefault("10000")
    int maxWaiting();
}
