package dev.sluice.service.traffic;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import dev.sluice.config.InMemoryClock;
import dev.sluice.engine.InFlightRequests;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisProvider;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * Decisions of the last minutes, and requests in flight, of all instances. Once a second the counts of this instance are added to those
 * in Redis, and to those in memory, which are read while Redis does not reply. Works on an event loop, apart from requests. Thread-safe.
 */
@Singleton
public class TrafficService {

    /** Largest number of minutes that can be read. */
    public static final int MAX_MINUTES = 24 * 60;
    /** Number of minutes of which the most frequent identifiers are known. */
    public static final int LISTED_MINUTES = TrafficStore.LISTED_MINUTES;

    private static final long FLUSH_MILLIS = 1000;
    /** Maximum time for which the last flush delays the end of the program. */
    private static final long STOP_TIMEOUT_MILLIS = 1000;

    private final TrafficRecorder recorder;
    private final InFlightRequests requests;
    private final Vertx vertx;
    private final Context context;
    private final @Nullable RedisConnectionManager manager;
    private final TrafficStore memory;
    private final TrafficCache ofInstance;
    /** Null, as the following one, if no Redis is configured. */
    private final @Nullable TrafficStore shared;
    private final @Nullable TrafficCache ofAll;
    /** Counts that have not been sent, because Redis does not reply. Used on the context only. */
    private TrafficCounts unsent = new TrafficCounts();
    /** True if Redis has a report of requests in flight. Used on the context only. */
    private boolean reported;
    private long timer = -1;

    @Inject
    TrafficService(TrafficRecorder recorder, InFlightRequests requests, RedisProvider redis, InMemoryClock clock, Vertx vertx) {
        this.recorder = recorder;
        this.requests = requests;
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.manager = redis.connectionManager();
        this.memory = new InMemoryTrafficStore(clock.clock());
        this.ofInstance = new TrafficCache(memory, false, System::nanoTime);
        this.shared = manager == null
                ? null
                : new RedisTrafficStore(manager, redis.hashTags(), context, LuaScript.SERVER_TIME);
        this.ofAll = shared == null ? null : new TrafficCache(shared, true, System::nanoTime);
    }

    void start(@Observes @Priority(20) StartupEvent started) {
        if (recorder.isActive()) {
            timer = vertx.setPeriodic(FLUSH_MILLIS, id -> context.runOnContext(now -> {
                flush();
                report();
            }));
        }
    }

    void stop(@Observes @Priority(5) ShutdownEvent stopping) {
        vertx.cancelTimer(timer);
        if (!recorder.isActive() || shared == null) {
            return;
        }
        var flushed = new CompletableFuture<Void>();
        context.runOnContext(now -> flush().onComplete(done -> flushed.complete(null)));
        flushed.completeOnTimeout(null, STOP_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).join();
    }

    /** Adds what was counted. Counts whose call fails are lost: Redis may have added them. */
    private Future<Void> flush() {
        var counts = recorder.collect();
        if (!counts.isEmpty()) {
            memory.add(counts);
            unsent.add(counts);
        }
        if (shared == null) {
            unsent = new TrafficCounts();
            return Future.succeededFuture();
        }
        trimUnsent();
        if (manager.isUp() && !unsent.isEmpty()) {
            var sent = unsent;
            unsent = new TrafficCounts();
            return shared.add(sent);
        }
        return Future.succeededFuture();
    }

    /** Bounds what has not been sent. */
    private void trimUnsent() {
        TrafficFields.retainHighest(unsent.allowed(), TrafficStore.MAX_LISTED);
        TrafficFields.retainHighest(unsent.denied(), TrafficStore.MAX_LISTED);
        if (unsent.rates().size() > TrafficStore.MAX_RATES) {
            unsent.rates().clear();
        }
    }

    /** Reports the requests in flight. Nothing is sent while there are none, after this has been reported once. */
    private void report() {
        var inFlight = new HashMap<RuleTier, Long>();
        requests.forEach((rule, tier, number) -> inFlight.put(TrafficRecorder.name(rule, tier), number));
        TrafficFields.retainHighest(inFlight, TrafficRecorder.MAX_CELLS);
        memory.report(inFlight);
        if (shared != null && manager.isUp() && (reported || !inFlight.isEmpty())) {
            reported = !inFlight.isEmpty();
            shared.report(inFlight);
        }
    }

    /**
     * Returns the decisions of the last minutes; of this instance only, if Redis does not reply.
     *
     * @param minutes how many, 1 to {@link #MAX_MINUTES}; the current one is one of them
     * @return completes on an event loop
     */
    public Future<TrafficHistory> last(int minutes) {
        Promise<TrafficHistory> result = Promise.promise();
        context.runOnContext(now -> (ofAll == null || !manager.isUp()
                ? ofInstance.last(Math.min(minutes, LISTED_MINUTES))
                : ofAll.last(minutes).recover(failure -> ofInstance.last(Math.min(minutes, LISTED_MINUTES))))
                .onComplete(result));
        return result.future();
    }

    /**
     * Returns the texts of the last rates that came with requests of an identifier, by resource: of the most frequent callers, for one to
     * two hours.
     *
     * @param resources names of the resources
     * @return completes on an event loop
     */
    public Future<Map<String, String>> rates(String identifier, List<String> resources) {
        Promise<Map<String, String>> result = Promise.promise();
        context.runOnContext(now -> (shared == null || !manager.isUp()
                ? memory.rates(identifier, resources)
                : shared.rates(identifier, resources).recover(failure -> memory.rates(identifier, resources)))
                .onComplete(result));
        return result.future();
    }
}
