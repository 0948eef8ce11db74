package dev.sluice.directory.cache;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.DirectoryKeys;
import dev.sluice.directory.IdentitiesConfig;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.RedisIdentityStore;
import dev.sluice.directory.UnavailableIdentityStore;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;

/** Creates the store of identities, and the directory of callers with its cache. */
@ApplicationScoped
class DirectoryProducer {

    /** Maximum time that changes and lists wait for Redis. */
    private static final long ADMIN_TIMEOUT_MILLIS = 2000;
    /** Maximum time that a request waits for its caller, who is not in the cache. */
    private static final long LOOKUP_TIMEOUT_MILLIS = 500;
    private static final long STOP_TIMEOUT_MILLIS = 1000;
    private static final int MIN_CACHE_SIZE = 100;
    private static final int MAX_CACHE_SIZE = 1_000_000;

    private final IdentitiesConfig settings;
    private final RedisConnectionManager manager;
    private final IdentityStore store;
    private final CallerDirectory directory;
    /** Null if no identities are stored. */
    private final @Nullable CachedCallerDirectory cached;

    @Inject
    DirectoryProducer(IdentitiesConfig settings, RedisProvider redis) {
        this.settings = settings;
        this.manager = redis.connectionManager();
        if (!settings.enabled() || manager == null) {
            this.cached = null;
            this.directory = new EmptyCallerDirectory();
            this.store = new UnavailableIdentityStore(settings.enabled()
                    ? "Identities are stored in Redis, and no Redis is configured"
                    : "Stored identities are disabled (rate-limit.identities.enabled=false)");
            return;
        }
        var keys = new DirectoryKeys(redis.hashTags());
        var cache = new IdentityCache(settings.cacheSize(), settings.maxStaleness().toNanos(), System::nanoTime);
        this.cached = new CachedCallerDirectory(manager, new DirectoryCalls(manager, keys, LOOKUP_TIMEOUT_MILLIS), cache,
                settings.cacheSize(), LuaScript.SERVER_TIME);
        this.directory = cached;
        this.store = new RedisIdentityStore(new DirectoryCalls(manager, keys, ADMIN_TIMEOUT_MILLIS), cached::onChange,
                LuaScript.SERVER_TIME);
    }

    /** Runs before the connection to Redis is opened. */
    void start(@Observes @Priority(5) StartupEvent started) {
        if (cached != null) {
            cached.start(manager);
        }
    }

    /** Runs before the connection is closed. */
    void stop(@Observes @Priority(5) ShutdownEvent stopping) {
        if (cached == null || !manager.isUp()) {
            return;
        }
        try {
            cached.stop().toCompletionStage().toCompletableFuture().get(STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // the hours of the last minute are lost
        }
    }

    @Produces
    @Singleton
    IdentityStore store() {
        return store;
    }

    @Produces
    @Singleton
    CallerDirectory directory() {
        return directory;
    }

    void validate(@Observes ConfigProblems problems) {
        if (settings.cacheSize() < MIN_CACHE_SIZE || settings.cacheSize() > MAX_CACHE_SIZE) {
            problems.add("rate-limit.identities.cache-size", Integer.toString(settings.cacheSize()),
                    MIN_CACHE_SIZE + " to " + MAX_CACHE_SIZE);
        }
        problems.checkDuration("rate-limit.identities.max-staleness", settings.maxStaleness(), Duration.ofDays(30),
                "a duration from 1ms to 30d");
    }
}
