package dev.sluice.service.alerts;

import java.time.Clock;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import com.github.benmanes.caffeine.cache.Ticker;

import dev.sluice.config.ConfigProblems;
import dev.sluice.directory.IdentitiesConfig;
import dev.sluice.directory.IdentityStore;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;

/**
 * Sends alerts when a budget, or a limit whose window is a day or longer, is used up to a threshold: one for each subject, limit,
 * threshold and period, whatever the number of instances. Claims and sends on an event loop, apart from requests.
 */
@Singleton
public class AlertService {

    private static final long TICK_MILLIS = 1000;
    /** Number of ticks between two polls while this instance knows of no alert in the queue. */
    private static final int IDLE_TICKS = 10;
    private static final long STOP_TIMEOUT_MILLIS = 2000;

    private final ConfigProblems problems = new ConfigProblems();
    private final Vertx vertx;
    private final @Nullable RedisConnectionManager manager;
    /** Null, as the following ones, if no alerts are sent. */
    private final @Nullable Context context;
    private final @Nullable HttpWebhookTransport transport;
    private final @Nullable AlertClaims claims;
    private final @Nullable AlertSender sender;
    private volatile int epoch;
    private long timer = -1;
    /** Set if the queue may hold an alert. Used on the context only. */
    private boolean pending = true;
    private int ticks;
    private volatile long queued;

    @Inject
    AlertService(AlertsConfig config, IdentitiesConfig identities, IdentityStore store, RedisProvider redis, Vertx vertx,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.manager = redis.connectionManager();
        var settings = AlertSettings.read(config, problems);
        var metrics = new AlertMetrics(meters);
        boolean stored = manager != null && identities.enabled();
        if (settings.signer() == null || settings.target().url() == null && !stored) {
            context = null;
            transport = null;
            claims = null;
            sender = null;
            return;
        }
        context = vertx.getOrCreateContext();
        var clock = Clock.systemUTC();
        var queue = manager == null
                ? new InMemoryAlertQueue(clock::millis)
                : new RedisAlertQueue(manager, redis.hashTags(), context, LuaScript.SERVER_TIME);
        transport = new HttpWebhookTransport(vertx, context, new HttpClientOptions(), settings.urls(),
                HttpWebhookTransport.TIMEOUT_MILLIS);
        claims = new AlertClaims(new AlertTargets(settings, stored ? store::find : null, Ticker.systemTicker()), queue,
                metrics::dropped, this::onClaimed);
        sender = new AlertSender(queue, transport, settings.target().url(), settings.signer(), clock,
                () -> ThreadLocalRandom.current().nextDouble(), metrics);
    }

    /** Returns whether alerts can be sent. */
    boolean isActive() {
        return claims != null;
    }

    /** Returns the number of alerts that are to be sent, as last seen; -1 if no alerts can be sent. Any thread. */
    public long queued() {
        return isActive() ? queued : -1;
    }

    /**
     * Returns the number of the connection to Redis. A Redis that is connected again may have lost claims, so that all are made again;
     * those that it has have no effect.
     */
    int epoch() {
        return epoch;
    }

    /** Evaluates an observation later. Never blocks; any thread. */
    void submit(AlertObservation observed) {
        context.runOnContext(now -> claims.submit(observed));
    }

    void start(@Observes @Priority(20) StartupEvent started) {
        if (context == null) {
            return;
        }
        if (manager != null) {
            manager.onChange(cause -> {
                if (cause == null) {
                    epoch++; // on the connection's event loop only
                    context.runOnContext(now -> tick(true));
                }
            });
        }
        timer = vertx.setPeriodic(TICK_MILLIS, id -> context.runOnContext(now -> tick(false)));
    }

    private void onClaimed() {
        pending = true;
        poll();
    }

    private void tick(boolean now) {
        claims.retry();
        ticks++;
        if (now || pending || ticks >= IDLE_TICKS) {
            poll();
        }
    }

    private void poll() {
        ticks = 0;
        sender.poll().onSuccess(inQueue -> {
            pending = inQueue > 0;
            queued = inQueue;
        });
    }

    /** Runs before the connection to Redis is closed, so that what was sent is not sent again. */
    void stop(@Observes @Priority(5) ShutdownEvent stopping) {
        if (context == null) {
            return;
        }
        vertx.cancelTimer(timer);
        Promise<Void> stopped = Promise.promise();
        context.runOnContext(now -> {
            sender.stop();
            Future.join(claims.idle(), sender.idle()).<Void>mapEmpty().onComplete(stopped);
        });
        try {
            stopped.future().toCompletionStage().toCompletableFuture().get(STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // what is not completed is sent by another instance when its lease has ended
        }
        transport.close();
    }

    void validate(@Observes ConfigProblems found) {
        found.addAll(problems);
    }
}
