package dev.sluice.redis;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the connection to Redis and of its keys. */
@ConfigMapping(prefix = "rate-limit.redis")
public interface RedisConnectionConfig {

    /** {@code false}: everything is kept in memory only, without any connection to Redis. */
    @WithDefault("true")
    boolean enabled();

    /** Prefix of every key. Applications that share a Redis but not their limits set different prefixes. */
    @WithDefault("sluice")
    String keyPrefix();

    /**
     * Secret shared by all instances, used to distribute identifiers over the slots of a cluster. Without it, a caller that
     * chooses identifiers can direct them all to one slot. Changing it resets all windows.
     */
    Optional<String> hashKey();

    /** Maximum number of requests in flight to Redis; beyond it, the fallback decides at once. 1,000 to 1,000,000. */
    @WithDefault("10000")
    int maxWaiting();

    /** Name of the user of the Sentinels, if they have one; only with {@link #sentinelPassword}. */
    Optional<String> sentinelUsername();

    /** Password of the Sentinels; without it, they get the credentials of the master. */
    Optional<String> sentinelPassword();
}
