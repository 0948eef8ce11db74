package dev.sluice.directory;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the keys, users, teams and organisations that are stored in Redis. */
@ConfigMapping(prefix = "rate-limit.identities")
public interface IdentitiesConfig {

    /** {@code true}: callers are identified by stored keys too, and have the limits of stored users, teams and organisations. */
    @WithDefault("false")
    boolean enabled();

    /** Maximum number of keys in the cache of an instance, and of users, of teams and of organisations. 100 to 1,000,000. */
    @WithDefault("10000")
    int cacheSize();

    /**
     * How long an instance without Redis uses what it has in its cache, counted from Redis's last reply. A key that is revoked
     * meanwhile stays valid that long on an instance that is cut off. 1 s to 30 d.
     */
    @WithDefault("60s")
    Duration maxStaleness();
}
