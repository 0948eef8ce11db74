package dev.sluice.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.api.StoreUnavailableException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * The connection to Redis and its circuit breaker. While the circuit is open, requests fail at once and a {@link Reconnection}
 * brings Redis back; no request is spent on that.
 * <p>
 * The circuit opens on evidence about Redis, never because this instance is slow: all times are listened time
 * ({@link ListenedClock}).
 * <ul>
 * <li>The connection was lost.
 * <li>Redis refused a write, or answered {@value #ERRORS} calls in a row with an error.
 * <li>Redis was silent for {@value #SILENT_TIMEOUTS} timeouts although requests were in flight.
 * <li>{@value #LATE} responses in a row came later than the timeout. One call is one piece of evidence, however many decisions
 * it carries.
 * </ul>
 * Its state changes on one event loop, where the connection lives too.
 */
public final class RedisConnectionManager {
    private static final int MAX_CONSECUTIVE_ERRORS = 3;
    private static final int MAX_CONSECUTIVE_LATE = 5;
    /** Redis is silent for this many timeouts before the circuit opens. */
    private static final int SILENT_TIMEOUTS = 3;

    private final ContextInternal context;
    private final ListenedClock clock;
    private final List<Consumer<Throwable>> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger consecutiveErrors = new AtomicInteger();
    private final AtomicInteger consecutiveLate = new AtomicInteger();
    private final RepairedKeys repairedKeys = new RepairedKeys();
    private final List<Runnable> closeTasks = new CopyOnWriteArrayList<>();
    private final Reconnection reconnection;
    private volatile long timeoutNanos = TimeUnit.MILLISECONDS.toNanos(Reconnection.CONNECT_TIMEOUT_MILLIS);
    private volatile RedisScriptConnection connection;
    private volatile boolean up;
    private volatile boolean closed;

    /**
     * @param connector makes a connection, whenever one is needed
     * @param maxInFlight how many requests may be in flight
     */
    public RedisConnectionManager(Vertx vertx, Supplier<Future<RedisConnection>> connector, HashTags hashTags, int maxInFlight) {
        this(((VertxInternal) vertx).createEventLoopContext(), connector, hashTags, maxInFlight);
    }

    /** @param context where connections are made, and live */
    RedisConnectionManager(ContextInternal context, Supplier<Future<RedisConnection>> connector, HashTags hashTags,
            int maxInFlight) {
        this(context, new ListenedClock(context.nettyEventLoop()), connector, hashTags, maxInFlight);
    }

    RedisConnectionManager(ContextInternal context, ListenedClock clock, Supplier<Future<RedisConnection>> connector,
            HashTags hashTags,
            int maxInFlight) {
        this.context = context;
        this.clock = clock;
        this.reconnection = new Reconnection(this, hashTags, () -> connector.get().map(connection -> {
            var scriptConnection = new RedisScriptConnection(connection, context, clock, maxInFlight, this::watch,
                    repairedKeys::add);
            connection.exceptionHandler(failure -> connectionLost(scriptConnection, failure));
            connection.endHandler(end -> connectionLost(scriptConnection, new StoreUnavailableException("Redis closed the connection", null)));
            return scriptConnection;
        }));
    }

    /** Sets how long Redis may take for a response. To be called before {@link #start}. */
    public void setReplyTimeout(Duration timeout) {
        timeoutNanos = Math.max(TimeUnit.MILLISECONDS.toNanos(1), timeout.toNanos());
        clock.setResolution(timeoutNanos);
    }

    /** Adds a script to be loaded into every Redis that this connects to. */
    public void preload(LuaScript script) {
        reconnection.preload(script);
    }

    /** Sets what is done whenever Redis answers again, before anything else is sent. To be called before {@link #start}. */
    public void onReconnect(Function<RedisScriptConnection, Future<Void>> task) {
        reconnection.onReconnect(task);
    }

    /** @param listener receives null when the circuit closes, and the cause when it opens; on the connection's event loop */
    public void onChange(Consumer<Throwable> listener) {
        listeners.add(listener);
    }

    /** Calls a task every so often, on the connection's event loop, until the link is closed. */
    public void runEvery(long millis, Runnable task) {
        var timer = context.nettyEventLoop().scheduleWithFixedDelay(() -> run(task), millis, millis, TimeUnit.MILLISECONDS);
        closeTasks.add(() -> timer.cancel(false));
    }

    /** Returns how many keys were repaired. */
    public long repairedKeys() {
        return repairedKeys.count();
    }

    /** Returns whether the circuit is closed. */
    public boolean up() {
        return up;
    }

    /** Completes when the first attempt has succeeded or failed; the attempts go on either way. */
    public Future<Void> start() {
        Promise<Void> first = Promise.promise();
        run(() -> reconnection.start(null, 1, first));
        return first.future();
    }

    /** Fails a future that is not complete after this much listened time. */
    public <T> Future<T> within(long millis, Future<T> future) {
        return clock.within(millis, future, "Redis did not answer");
    }

    /** Watches a connection while requests are in flight on it. Called on the event loop. */
    private void watch(RedisScriptConnection busy) {
        if (busy.watched) {
            return;
        }
        busy.watched = true;
        clock.watch(() -> {
            long silence = busy.silence();
            if (silence >= SILENT_TIMEOUTS * timeoutNanos && busy == connection) {
                openCircuit(new StoreUnavailableException("Redis did not answer for " + TimeUnit.NANOSECONDS.toMillis(silence) + " ms",
                        null), 1, true);
            }
            busy.watched = busy.isBusy();
            return busy.watched;
        });
    }

    /** Runs a task on the connection's context: at once where this is its event loop. */
    void run(Runnable task) {
        context.emit(task, Runnable::run);
    }

    /** Runs a task on the connection's context after a delay. */
    void runLater(long millis, Runnable task) {
        context.nettyEventLoop().schedule(() -> run(task), millis, TimeUnit.MILLISECONDS);
    }

    private void connectionLost(RedisScriptConnection lost, Throwable cause) {
        run(() -> {
            if (lost == connection) {
                openCircuit(cause, 1, false);
            } else {
                reconnection.connectionLost(lost);
            }
        });
    }

    /**
     * Opens the circuit.
     *
     * @param probes how many times Redis has to answer a probe in time before the circuit closes
     * @param keep whether the connection may still bring the responses to what is in flight
     */
    private void openCircuit(Throwable cause, int probes, boolean keep) {
        if (!up || closed) {
            return;
        }
        var before = connection;
        up = false;
        connection = null;
        listeners.forEach(listener -> listener.accept(cause));
        if (!keep) {
            before.close();
        }
        reconnection.start(keep ? before : null, probes, Promise.promise());
    }

    /** Closes the circuit: Redis answers, and has been told all that it missed. */
    void closeCircuit(RedisScriptConnection proven) {
        consecutiveErrors.set(0);
        consecutiveLate.set(0);
        connection = proven;
        up = true;
        listeners.forEach(listener -> listener.accept(null));
    }

    ListenedClock clock() {
        return clock;
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    /** Returns the connection; fails at once while the circuit is open. */
    public Future<RedisScriptConnection> connection() {
        var current = connectionOrNull();
        return current != null
                ? Future.succeededFuture(current)
                : Future.failedFuture(new StoreUnavailableException("Redis is out of reach", null));
    }

    /** Returns the connection; null while the circuit is open. */
    public RedisScriptConnection connectionOrNull() {
        return up ? connection : null;
    }

    public Vertx vertx() {
        return context.owner();
    }

    /** Sends at once, or fails at once. There may never be a response: the caller bounds the wait ({@link #within}). */
    public Future<Response> send(Request request) {
        return connection().compose(current -> current.send(request));
    }

    /** Runs a script as {@link #send} does; sends its source where Redis does not know it. */
    public Future<Response> eval(LuaScript script, List<String> keys, List<String> arguments) {
        return connection().compose(current -> current.eval(script, keys, arguments));
    }

    /** Redis answered a call in time. */
    public void reportSuccess() {
        if (consecutiveErrors.get() > 0) {
            consecutiveErrors.set(0);
        }
        if (consecutiveLate.get() > 0) {
            consecutiveLate.set(0);
        }
    }

    /** Redis answered a call, but later than the timeout. */
    public void reportLate() {
        if (consecutiveLate.incrementAndGet() == MAX_CONSECUTIVE_LATE) {
            run(() -> openCircuit(new StoreUnavailableException("Redis answers more slowly than "
                    + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms", null), Reconnection.PROBES_IF_SLOW, true));
        }
    }

    /** Redis answered a call with an error. */
    public void reportFailure(Throwable cause) {
        if (!up || !RedisScriptConnection.isRejection(cause) || cause instanceof RedisScriptConnection.OverloadedException
                || RedisScriptConnection.isKeySpecific(cause)) {
            return; // a connection that is lost tells so itself
        }
        var current = connection;
        if (consecutiveErrors.incrementAndGet() >= MAX_CONSECUTIVE_ERRORS
                || current != null && !current.isSharded() && RedisScriptConnection.isWriteRejection(cause)) {
            reportRejection(cause);
        }
    }

    /** Redis answers, but not as it should: it does not write. */
    public void reportRejection(Throwable cause) {
        if (!RedisScriptConnection.isKeySpecific(cause)) {
            run(() -> openCircuit(cause, 1, false));
        }
    }

    public void close() {
        closed = true;
        up = false;
        closeTasks.forEach(Runnable::run);
        run(reconnection::stop);
        var current = connection;
        if (current != null) {
            current.close();
        }
    }

    boolean closed() {
        return closed;
    }
}
