package dev.sluice.engine;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLException;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimiter;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.cluster.RecoveryCoordinator;
import dev.sluice.cluster.UsageMerger;
import dev.sluice.config.ConfigProblems;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionConfig;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.quarkus.arc.DefaultBean;
import io.quarkus.runtime.ImageMode;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/** Wires the store that the settings ask for. */
@ApplicationScoped
class RateLimiterProducer implements StoreStatus {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    /** How long a start waits for the first attempt to reach Redis, which fails sooner unless this instance hardly runs. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final StoreConfig settings;
    private final boolean redisWanted;
    private final RedisConnectionManager link;
    private final InstanceRegistry fleet;
    private final UsageMerger merger;
    /** Null where there is no Redis. */
    private final RecoveryCoordinator rejoining;
    private final FailoverWindowStore windows;
    private volatile boolean wasDown;
    private volatile long mergedBefore;

    @Inject
    RateLimiterProducer(StoreConfig settings, RedisConnectionConfig redisSettings, RedisProvider redis, Vertx vertx) {
        this.settings = settings;
        this.redisWanted = redisSettings.enabled();
        this.link = redis.link();
        this.fleet = new InstanceRegistry(redis.keys(), settings.instances(), LuaScript.SERVER_TIME);
        var memory = new InMemoryWindowStore(link == null ? MicrosClock.SYSTEM : fleet, settings.exactUpTo(),
                settings.memory().maxSize().asLongValue());
        this.merger = new UsageMerger(link, memory, redis.keys(), LuaScript.SERVER_TIME);
        if (link == null) {
            this.rejoining = null;
            this.windows = new FailoverWindowStore(null, memory, fleet, settings.fallback());
        } else {
            link.answersWithin(settings.timeout());
            link.onChange(cause -> changed(cause, cause == null));
            this.rejoining = new RecoveryCoordinator(vertx, link, fleet, memory, merger, settings.timeout());
            var store = new RedisWindowStore(link, redis.keys(), settings.exactUpTo(), settings.timeout(),
                    memory::record, LuaScript.SERVER_TIME);
            this.windows = new FailoverWindowStore(store, memory, fleet, settings.fallback());
        }
    }

    /** After the settings have been checked, and before the first request comes. */
    void start(@Observes @Priority(10) StartupEvent started, RateLimiter limiter) {
        if (link != null) {
            rejoining.start();
            connect();
            warmUp(limiter);
        } else if (redisWanted) {
            LOG.warn("Rate limits are kept in this instance's memory, for it alone: no Redis client is configured"
                    + " (quarkus.redis.rate-limit.hosts or quarkus.redis.hosts; rate-limit.redis.enabled=false if that is meant)");
        }
    }

    private void connect() {
        var failure = await(link.start());
        if (failure != null) {
            changed(failure instanceof TimeoutException ? null : failure, false);
        }
    }

    private void warmUp(RateLimiter limiter) {
        if (!settings.warmUp() || ImageMode.current().isNativeImage()) {
            return;
        }
        try {
            new DecisionWarmUp(link.vertx(), limiter).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Null where it succeeded. */
    private static Throwable await(Future<Void> task) {
        try {
            task.toCompletionStage().toCompletableFuture().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return e;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (TimeoutException e) {
            return e;
        }
    }

    /** Before the link is closed. */
    void stop(@Observes @Priority(10) ShutdownEvent stopping) {
        if (rejoining != null && link.up()) {
            await(rejoining.stop());
        }
    }

    private void changed(Throwable cause, boolean up) {
        if (!up) {
            wasDown = true;
            mergedBefore = merger.merged();
            LOG.warnf("Redis is out of reach (%s); rate limits are %s until it answers", reason(cause),
                    meaning());
        } else if (wasDown) {
            LOG.infof("Redis answers; rate limits are exact over all instances (%d), what %d callers were granted meanwhile is"
                    + " counted there", fleet.size(), merger.merged() - mergedBefore);
        }
    }

    private static String reason(Throwable cause) {
        if (cause == null) {
            return "no answer";
        }
        var message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        if (cause instanceof SSLException && cause.getCause() != null) {
            return message + ": " + reason(cause.getCause()); // why a certificate is not trusted stands at the end of it all
        }
        return message.replaceAll("\\R\\s*", " "); // one line per change, whatever the client has to say
    }

    private String meaning() {
        return switch (windows.mode()) {
            case OPEN -> "not applied (rate-limit.fallback=open)";
            case CLOSED -> "answered with 503 (rate-limit.fallback=closed)";
            default -> "kept in this instance's memory, one part in " + fleet.size() + " of each (rate-limit.fallback=local)";
        };
    }

    @Override
    public DecisionMode mode() {
        return windows.mode();
    }

    @Override
    public int instances() {
        return fleet.size();
    }

    @Override
    public long merged() {
        return merger.merged();
    }

    @Override
    public long repairedKeys() {
        return link == null ? 0 : link.repaired();
    }

    @Override
    public long refusedFromMemory() {
        return windows.refusedFromMemory();
    }

    @Produces
    @Singleton
    @DefaultBean
    RateLimiter limiter(@Any Instance<DecisionListener> listeners) {
        return new DefaultRateLimiter(windows, fleet, settings.fallback(), settings.enabled(), settings.dryRun(),
                listeners.stream().toList());
    }

    void validate(@Observes ConfigProblems problems) {
        if (settings.exactUpTo() < 1 || settings.exactUpTo() > 10_000) {
            problems.add("rate-limit.exact-up-to", Long.toString(settings.exactUpTo()), "1 to 10000");
        }
        if (settings.instances() < 1 || settings.instances() > 10_000) {
            problems.add("rate-limit.instances", Integer.toString(settings.instances()), "1 to 10000");
        }
        long memory = settings.memory().maxSize().asLongValue();
        if (memory < InMemoryWindowStore.LEAST_BYTES) {
            problems.add("rate-limit.memory.max-size", Long.toString(memory), "1M or more");
        }
        if (settings.timeout().compareTo(Duration.ofMillis(1)) < 0 || settings.timeout().compareTo(Duration.ofMinutes(1)) > 0) {
            problems.add("rate-limit.timeout", settings.timeout().toString(), "a duration from 1ms to 1m");
        }
    }
}
