package dev.sluice.directory.cache;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

import dev.sluice.config.ConfigProblems;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.DirectoryKeys;
import dev.sluice.directory.IdentitiesConfig;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.RedisIdentityStore;
import dev.sluice.directory.UnavailableIdentityStore;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisProvider;

/** Creates the store of identities and its cache. */
@ApplicationScoped
class DirectoryProducer {

    private static final long TIMEOUT_MILLIS = 2000;

    private final IdentitiesConfig settings;
    private final RedisProvider redis;

    DirectoryProducer(IdentitiesConfig settings, RedisProvider redis) {
        this.settings = settings;
        this.redis = redis;
    }

    @Produces
    @Singleton
    IdentityStore store() {
        var manager = redis.connectionManager();
        if (!settings.enabled() || manager == null) {
            return new UnavailableIdentityStore(manager == null
                    ? "Identities are stored in Redis, and no Redis is configured"
                    : "Stored identities are disabled (rate-limit.identities.enabled=false)");
        }
        var calls = new DirectoryCalls(manager, new DirectoryKeys(redis.hashTags()), TIMEOUT_MILLIS);
        return new RedisIdentityStore(calls, (kind, name, hashes) -> {
        }, LuaScript.SERVER_TIME);
    }

    void validate(@Observes ConfigProblems problems) {
        if (settings.cacheSize() < 100 || settings.cacheSize() > 1_000_000) {
            problems.add("rate-limit.identities.cache-size", Integer.toString(settings.cacheSize()), "100 to 1000000");
        }
        problems.checkDuration("rate-limit.identities.max-staleness", settings.maxStaleness(), Duration.ofDays(30),
                "a duration from 1ms to 30d");
    }
}
