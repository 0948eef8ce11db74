package dev.sluice.engine;

import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.time.ZoneId;
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
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.RateLimiter;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.cluster.RecoveryCoordinator;
import dev.sluice.cluster.UsageMerger;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.InMemoryClock;
import dev.sluice.redis.EventLoops;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionConfig;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.PeriodCalendar;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.netty.util.concurrent.EventExecutor;
import io.quarkus.arc.DefaultBean;
import io.quarkus.runtime.ImageMode;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/** Creates the rate limiter with the configured store. */
@ApplicationScoped
class RateLimiterProducer implements StoreStatus {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    /** Bound on the wait for the first connection attempt, which fails sooner unless this instance is starved of CPU. */
    private static final Duration START_TIMEOUT = Duration.ofSeconds(10);

    /** Eight rates in each of requests, tokens, budget and unproven keys: a call alone never needs more. */
    private static final int MIN_WINDOWS = 32;

    private static final int MAX_WAITERS = 1_000_000;

    private final StoreConfig settings;
    private final boolean redisEnabled;
    private final RedisConnectionManager manager;
    private final InstanceRegistry registry;
    private final InMemoryWindowStore memory;
    private final UsageMerger merger;
    /** Null if no Redis is configured. */
    private final RecoveryCoordinator recovery;
    private final InFlightRequests inFlight = new InFlightRequests();
    /** Null if windows are kept in memory only. */
    private final RedisWindowStore slots;
    private final FailoverWindowStore store;
    private final JointWindowStore jointStore;
    private final MicrosClock clock;
    private final boolean clockIgnored;
    private final PeriodCalendar calendar;
    private final EventExecutor loop;
    /** Written before the server starts. */
    private volatile long deniedInWarmUp;
    private volatile boolean wasUnavailable;
    private volatile long mergedBeforeOutage;

    @Inject
    RateLimiterProducer(StoreConfig settings, RedisConnectionConfig redisSettings, RedisProvider redis, Vertx vertx,
            InMemoryClock inMemoryClock) {
        this.settings = settings;
        this.calendar = new PeriodCalendar(ZoneId.of(settings.timeZone()));
        this.loop = EventLoops.group(vertx).next();
        this.redisEnabled = redisSettings.enabled();
        this.manager = redis.connectionManager();
        this.registry = new InstanceRegistry(redis.hashTags(), settings.instances(), LuaScript.SERVER_TIME);
        this.clock = manager == null ? MicrosClock.of(inMemoryClock.clock()) : registry;
        this.clockIgnored = manager != null && inMemoryClock.isReplaced();
        this.memory = new InMemoryWindowStore(clock, settings.exactUpTo(),
                settings.memory().maxSize().asLongValue(), settings.maxWindowsPerIdentifier());
        this.merger = new UsageMerger(manager, memory, redis.hashTags(), LuaScript.SERVER_TIME);
        if (manager == null) {
            this.recovery = null;
            this.slots = null;
            this.store = new FailoverWindowStore(null, memory, registry, settings.fallback());
            this.jointStore = new JointWindowStore(store, null, memory, registry);
        } else {
            manager.setReplyTimeout(settings.timeout());
            manager.onChange(cause -> connectionChanged(cause, cause == null));
            this.recovery = new RecoveryCoordinator(vertx, manager, registry, memory, merger, settings.timeout());
            var redisStore = new RedisWindowStore(manager, redis.hashTags(), settings.exactUpTo(),
                    settings.maxWindowsPerIdentifier(), settings.timeout(),
                    memory::record, memory.slots(), LuaScript.SERVER_TIME);
            recovery.beforePeers(redisStore::sendAllSlots);
            this.slots = redisStore;
            this.store = new FailoverWindowStore(redisStore, memory, registry, settings.fallback());
            this.jointStore = new JointWindowStore(store, redisStore, memory, registry);
        }
    }

    /** Runs after the settings are validated and before the first request. */
    void start(@Observes @Priority(10) StartupEvent started, CallbackRateLimiter limiter) {
        if (clockIgnored) {
            LOG.warn("The bean @Identifier(\"" + InMemoryClock.IDENTIFIER
                    + "\") Clock is ignored: windows in Redis follow Redis's"
                    + " clock (set rate-limit.redis.enabled=false to keep them in memory)");
        }
        if (manager != null) {
            recovery.start();
            connect();
            warmUp(limiter);
        } else if (redisEnabled) {
            LOG.warn("Rate limits apply to this instance only and are kept in memory: no Redis client is configured"
                    + " (quarkus.redis.rate-limit.hosts or quarkus.redis.hosts; set rate-limit.redis.enabled=false if this is intended)");
        }
    }

    private void connect() {
        var failure = await(manager.start());
        if (failure != null) {
            connectionChanged(failure instanceof TimeoutException ? null : failure, false);
        }
    }

    private void warmUp(CallbackRateLimiter limiter) {
        if (!settings.warmUp() || ImageMode.current().isNativeImage()) {
            return;
        }
        try {
            new DecisionWarmUp(manager.vertx(), limiter).run();
            deniedInWarmUp = store.deniedFromCache();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return the failure; null if the task succeeded */
    private static Throwable await(Future<Void> task) {
        try {
            task.toCompletionStage().toCompletableFuture().get(START_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
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

    /** Runs before the connection is closed. */
    void stop(@Observes @Priority(10) ShutdownEvent stopping, RateLimiter limiter) {
        if (limiter instanceof DefaultRateLimiter waiting) {
            waiting.close();
        }
        if (recovery != null && manager.isUp()) {
            await(manager.within(settings.timeout().toMillis() + 1, slots.clearSlots()));
            await(recovery.stop());
        }
    }

    private void connectionChanged(Throwable cause, boolean up) {
        if (!up) {
            wasUnavailable = true;
            mergedBeforeOutage = merger.mergedCount();
            LOG.warnf("Redis is unavailable (%s); until it recovers, rate limits are %s", reason(cause),
                    fallbackDescription());
        } else if (wasUnavailable) {
            LOG.infof("Redis is available again; rate limits are shared by all instances: instances=%d, identifiers merged=%d",
                    registry.size(), merger.mergedCount() - mergedBeforeOutage);
        }
    }

    private static String reason(Throwable cause) {
        if (cause == null) {
            return "no reply";
        }
        if (cause instanceof ClosedChannelException) {
            return "the connection was closed"; // Netty's has no message, and a name of Netty's own
        }
        var message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        if (cause instanceof SSLException && cause.getCause() != null) {
            return message + ": " + reason(cause.getCause()); // the last cause says why a certificate is not trusted
        }
        return message.replaceAll("\\R\\s*", " "); // one log line per change
    }

    private String fallbackDescription() {
        return switch (store.mode()) {
            case OPEN -> "not applied (rate-limit.fallback=open)";
            case CLOSED -> "answered with 503 (rate-limit.fallback=closed)";
            default -> "kept in this instance's memory, with a share of 1/" + registry.size()
                    + " of each limit (rate-limit.fallback=local)";
        };
    }

    @Override
    public DecisionMode mode() {
        return store.mode();
    }

    @Override
    public int instances() {
        return registry.size();
    }

    @Override
    public long mergedIdentifiers() {
        return merger.mergedCount();
    }

    @Override
    public long repairedKeys() {
        return manager == null ? 0 : manager.repairedKeys();
    }

    @Override
    public long deniedFromCache() {
        return store.deniedFromCache() - deniedInWarmUp;
    }

    @Produces
    @Singleton
    @DefaultBean
    RateLimiter limiter(@Any Instance<DecisionListener> listeners) {
        return new DefaultRateLimiter(store, jointStore, clock, calendar, settings.fallback(), settings.enabled(),
                settings.dryRun(),
                listeners.stream().toList(), inFlight, this::startTimer, settings.acquire().maxWaiters());
    }

    /** Tasks run outside of the context of the request that starts the timer. */
    private Runnable startTimer(long nanos, Runnable task) {
        var timer = loop.schedule(task, nanos, TimeUnit.NANOSECONDS);
        return () -> timer.cancel(false);
    }

    @Produces
    @Singleton
    ConcurrencyLeases leases() {
        return new ConcurrencyLeases(slots, memory, clock, this::startTimer, settings.enabled() && !settings.dryRun());
    }

    @Produces
    @Singleton
    InFlightRequests inFlight() {
        return inFlight;
    }

    @Produces
    @Singleton
    CallbackRateLimiter callbackLimiter(RateLimiter limiter) {
        return CallbackRateLimiter.of(limiter);
    }

    @Produces
    @Singleton
    JointLimiter jointLimiter(@Any Instance<DecisionListener> listeners) {
        return new JointLimiter(store, jointStore, clock, calendar, settings, listeners.stream().toList());
    }

    @Produces
    @Singleton
    @DefaultBean
    RateLimitAdmin admin(ConcurrencyLeases leases) {
        return new DefaultRateLimitAdmin(store, calendar, clock, leases);
    }

    @Produces
    @Singleton
    StoredWindows storedWindows() {
        return new StoredWindows(store);
    }

    void validate(@Observes ConfigProblems problems) {
        if (settings.exactUpTo() < 1 || settings.exactUpTo() > 10_000) {
            problems.add("rate-limit.exact-up-to", Long.toString(settings.exactUpTo()), "1 to 10000");
        }
        if (settings.maxWindowsPerIdentifier() < MIN_WINDOWS || settings.maxWindowsPerIdentifier() > 10_000) {
            problems.add("rate-limit.max-windows-per-identifier", Integer.toString(settings.maxWindowsPerIdentifier()),
                    MIN_WINDOWS + " to 10000");
        }
        if (settings.instances() < 1 || settings.instances() > 10_000) {
            problems.add("rate-limit.instances", Integer.toString(settings.instances()), "1 to 10000");
        }
        int waiters = settings.acquire().maxWaiters();
        if (waiters < 0 || waiters > MAX_WAITERS) {
            problems.add("rate-limit.acquire.max-waiters", Integer.toString(waiters), "0 to " + MAX_WAITERS);
        }
        long memory = settings.memory().maxSize().asLongValue();
        if (memory < InMemoryWindowStore.MIN_BYTES) {
            problems.add("rate-limit.memory.max-size", Long.toString(memory), "1M or more");
        }
        problems.checkDuration("rate-limit.timeout", settings.timeout(), Duration.ofMinutes(1), "a duration from 1ms to 1m");
    }
}
