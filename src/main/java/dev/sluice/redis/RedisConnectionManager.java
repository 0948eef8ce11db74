package dev.sluice.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
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
 * The connection to Redis and its circuit breaker. While the circuit is open, requests fail at once and a
 * {@link Reconnection} probes Redis; no user request serves as a probe.
 * <p>
 * The circuit opens on evidence about Redis, never because this instance is slow: all times are listened time
 * ({@link ListenedClock}).
 * <ul>
 * <li>The connection was lost.
 * <li>Redis rejected a write, or replied to {@value FailureEvidence#MAX_CONSECUTIVE_ERRORS} calls in a row with an error.
 * <li>Redis was silent for {@value #SILENT_TIMEOUTS} timeouts although requests were in flight.
 * <li>{@value FailureEvidence#MAX_CONSECUTIVE_LATE} responses in a row arrived after the timeout, each to a request that was sent after the
 * previous one had arrived. One call is one piece of evidence, however many decisions it carries, and so is one stall of Redis,
 * however many calls it delayed.
 * </ul>
 * Its state changes on the connection's event loop only. Public methods may be called from any thread.
 */
public final class RedisConnectionManager {
    /** Redis is silent for this many timeouts before the circuit opens. */
    private static final int SILENT_TIMEOUTS = 3;

    private final ContextInternal context;
    private final ListenedClock clock;
    private final List<Consumer<Throwable>> listeners = new CopyOnWriteArrayList<>();
    private final FailureEvidence evidence = new FailureEvidence();
    private final RepairedKeys repairedKeys = new RepairedKeys();
    private final List<Runnable> closeTasks = new CopyOnWriteArrayList<>();
    private final Reconnection reconnection;
    private volatile long timeoutNanos = TimeUnit.MILLISECONDS.toNanos(Reconnection.CONNECT_TIMEOUT_MILLIS);
    private volatile RedisScriptConnection connection;
    private volatile boolean circuitClosed;
    private volatile boolean closed;

    /**
     * @param connector opens a new connection
     * @param maxInFlight maximum number of requests in flight
     */
    public RedisConnectionManager(Vertx vertx, Supplier<Future<RedisConnection>> connector, HashTags hashTags,
            int maxInFlight) {
        this(((VertxInternal) vertx).createEventLoopContext(), connector, hashTags, maxInFlight);
    }

    /** @param context on which connections are opened and used */
    RedisConnectionManager(ContextInternal context, Supplier<Future<RedisConnection>> connector, HashTags hashTags,
            int maxInFlight) {
        this(context, new ListenedClock(context.nettyEventLoop()), connector, hashTags, maxInFlight);
    }

    RedisConnectionManager(ContextInternal context, ListenedClock clock, Supplier<Future<RedisConnection>> connector,
            HashTags hashTags,
            int maxInFlight) {
        this.context = context;
        this.clock = clock;
        this.reconnection = new Reconnection(new ReconnectionOwner(), hashTags, () -> connector.get().map(connection -> {
            var scriptConnection = new RedisScriptConnection(connection, context, clock, maxInFlight, this::watch,
                    repairedKeys::add);
            connection.exceptionHandler(failure -> connectionLost(scriptConnection, failure));
            connection.endHandler(end -> connectionLost(scriptConnection,
                    new StoreUnavailableException("Redis closed the connection", null)));
            return scriptConnection;
        }));
    }

    /** Sets the timeout of a response. To be called before {@link #start}. */
    public void setReplyTimeout(Duration timeout) {
        timeoutNanos = Math.max(TimeUnit.MILLISECONDS.toNanos(1), timeout.toNanos());
        clock.setResolution(timeoutNanos);
    }

    /** Adds a script that is loaded on every new connection. */
    public void preload(LuaScript script) {
        reconnection.preload(script);
    }

    /** Sets the task to run on each proven connection before the circuit closes. To be called before {@link #start}. */
    public void onReconnect(Function<RedisScriptConnection, Future<Void>> task) {
        reconnection.onReconnect(task);
    }

    /**
     * Adds a listener of the circuit's state.
     *
     * @param listener receives null when the circuit closes and the cause when it opens, on the connection's event loop
     */
    public void onChange(Consumer<Throwable> listener) {
        listeners.add(listener);
    }

    /** Runs a task periodically on the connection's event loop, until this is closed. */
    public void runEvery(long millis, Runnable task) {
        var timer = context.nettyEventLoop().scheduleWithFixedDelay(() -> run(task), millis, millis, TimeUnit.MILLISECONDS);
        closeTasks.add(() -> timer.cancel(false));
    }

    /** Returns the number of repaired keys. */
    public long repairedKeys() {
        return repairedKeys.count();
    }

    /** Returns whether the circuit is closed. */
    public boolean isUp() {
        return circuitClosed;
    }

    /** Completes when the first attempt has succeeded or failed; the attempts go on either way. */
    public Future<Void> start() {
        Promise<Void> first = Promise.promise();
        run(() -> reconnection.start(null, 1, first));
        return first.future();
    }

    /** Fails a future that is not complete after this much listened time. */
    public <T> Future<T> within(long millis, Future<T> future) {
        return clock.within(millis, future, "Redis did not reply");
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
                openCircuit(new StoreUnavailableException(
                        "Redis did not reply for " + TimeUnit.NANOSECONDS.toMillis(silence) + " ms",
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
     * @param probes number of consecutive probes that Redis must answer in time before the circuit closes
     * @param keep whether the connection is kept open, because responses to requests in flight may still arrive
     */
    private void openCircuit(Throwable cause, int probes, boolean keep) {
        if (!circuitClosed || closed) {
            return;
        }
        var before = connection;
        circuitClosed = false;
        connection = null;
        listeners.forEach(listener -> listener.accept(cause));
        if (!keep) {
            before.close();
        }
        reconnection.start(keep ? before : null, probes, Promise.promise());
    }

    private final class ReconnectionOwner implements Reconnection.Owner {

        @Override
        public ListenedClock clock() {
            return clock;
        }

        @Override
        public long timeoutNanos() {
            return timeoutNanos;
        }

        @Override
        public boolean isClosed() {
            return closed;
        }

        @Override
        public void runLater(long millis, Runnable task) {
            context.nettyEventLoop().schedule(() -> run(task), millis, TimeUnit.MILLISECONDS);
        }

        @Override
        public <T> Future<T> within(long millis, Future<T> future) {
            return RedisConnectionManager.this.within(millis, future);
        }

        /** Closes the circuit. */
        @Override
        public void onReconnected(RedisScriptConnection proven) {
            evidence.clear();
            connection = proven;
            circuitClosed = true;
            listeners.forEach(listener -> listener.accept(null));
        }
    }

    /** Returns the connection; fails at once while the circuit is open. */
    public Future<RedisScriptConnection> connection() {
        var current = connectionOrNull();
        return current != null
                ? Future.succeededFuture(current)
                : Future.failedFuture(new StoreUnavailableException("Redis is unavailable", null));
    }

    /** Returns the connection; null while the circuit is open. */
    public RedisScriptConnection connectionOrNull() {
        return circuitClosed ? connection : null;
    }

    public Vertx vertx() {
        return context.owner();
    }

    /** Sends at once, or fails at once. There may never be a response: the caller sets a timeout ({@link #within}). */
    public Future<Response> send(Request request) {
        return connection().compose(current -> current.send(request));
    }

    /** Runs a script as {@link #send} does; sends its source if Redis does not have it. */
    public Future<Response> eval(LuaScript script, List<String> keys, List<String> arguments) {
        return connection().compose(current -> current.eval(script, keys, arguments));
    }

    /** Reports a response within the timeout. */
    public void reportSuccess() {
        evidence.clear();
    }

    /**
     * Reports a response after the timeout, on the connection's event loop. Responses to requests that were in flight together are
     * one piece of evidence: the same stall has delayed them.
     *
     * @param sentAt listened time at which the request was sent, see {@link ListenedClock#at}
     */
    public void reportLate(long sentAt) {
        if (evidence.addLate(sentAt, clock.at(System.nanoTime()))) {
            run(() -> openCircuit(new StoreUnavailableException("Redis responds more slowly than "
                    + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms", null), Reconnection.PROBES_IF_SLOW, true));
        }
    }

    /** Reports a failed call. */
    public void reportFailure(Throwable cause) {
        if (!circuitClosed || !RedisScriptConnection.isRejection(cause)
                || cause instanceof RedisScriptConnection.OverloadedException
                || RedisScriptConnection.isKeySpecific(cause)) {
            return; // a lost connection is reported by its handlers
        }
        var current = connection;
        if (evidence.addError()
                || current != null && !current.isSharded() && RedisScriptConnection.isWriteRejection(cause)) {
            reportRejection(cause);
        }
    }

    /** Reports that Redis rejects writes: opens the circuit. */
    public void reportRejection(Throwable cause) {
        if (!RedisScriptConnection.isKeySpecific(cause)) {
            run(() -> openCircuit(cause, 1, false));
        }
    }

    /** Closes the connection for good. */
    public void close() {
        closed = true;
        circuitClosed = false;
        closeTasks.forEach(Runnable::run);
        run(reconnection::stop);
        var current = connection;
        if (current != null) {
            current.close();
        }
    }
}
