package dev.sluice.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;

import dev.sluice.api.StoreUnavailableException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.impl.ContextInternal;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;

/**
 * One connection to Redis, pipelined: responses come in the order of the requests. The number of requests in flight is bounded;
 * beyond that, requests fail at once. Requests may be sent from any thread.
 */
public final class RedisScriptConnection {

    /** Divisor with which a longer round trip is averaged in. A shorter one applies at once, so that queueing time hardly counts. */
    private static final int SMOOTHING = 256;
    /** The client's own error for requests in flight on a connection that ends: Redis may have executed them. */
    private static final String CONNECTION_CLOSED = "CONNECTION_CLOSED";
    /** Error codes of Redis; that of an error within a script is in the middle of the message. */
    private static final Pattern WRITE_REJECTIONS = Pattern
            .compile("\\b(READONLY|OOM|MISCONF|LOADING|MASTERDOWN|NOREPLICAS|NOAUTH|NOPERM|WRONGPASS|BUSY)\\b");

    private final RedisConnection connection;
    private final ContextInternal context;
    private final ListenedClock clock;
    private final int maxInFlight;
    private final ReplySilence silence;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Runnable busyListener;
    private final BiConsumer<Long, String> repairListener;
    private volatile long roundTrip;
    /** True while the manager watches it. Accessed on the event loop only. */
    boolean watched;

    /**
     * @param context where responses are handled
     * @param busyListener called when a request is sent while no other is in flight
     * @param repairListener receives how many keys a script has repaired, and the name of the first
     */
    RedisScriptConnection(RedisConnection connection, ContextInternal context, ListenedClock clock, int maxInFlight,
            Consumer<RedisScriptConnection> busyListener, BiConsumer<Long, String> repairListener) {
        this.connection = connection;
        this.context = context;
        this.clock = clock;
        this.maxInFlight = maxInFlight;
        this.silence = new ReplySilence(clock);
        this.busyListener = () -> busyListener.accept(this);
        this.repairListener = repairListener;
        if (connection instanceof ClusterConnection cluster) {
            cluster.startMeasuring(clock);
        }
    }

    /** Runs a task on the connection's event loop: at once if called there, otherwise later. */
    public void execute(Runnable task) {
        context.emit(task, Runnable::run);
    }

    /** Runs a task on the connection's event loop, after all tasks already queued there. */
    public void executeSoon(Runnable task) {
        context.runOnContext(now -> task.run());
    }

    /** Runs a task on the connection's event loop after a delay, which is rounded up to milliseconds. */
    public void executeIn(long nanos, Runnable task) {
        context.nettyEventLoop().schedule(() -> execute(task), nanos, TimeUnit.NANOSECONDS);
    }

    /** Returns the clock for timeouts of responses. */
    public ListenedClock clock() {
        return clock;
    }

    /** Counts and logs the repair reported in a script's reply, see {@link Repair#of}. */
    public void reportRepairs(Response reply) {
        var repair = Repair.of(reply);
        if (repair != null) {
            repairListener.accept(repair.keys(), repair.first());
        }
    }

    /** Returns whether the keys of one request must have one hash tag. */
    public boolean isSharded() {
        return connection instanceof ClusterConnection;
    }

    /** Returns the maximum number of requests in flight. */
    public int maxInFlight() {
        return maxInFlight;
    }

    /** Creates the failure of a request beyond the maximum in flight. */
    public Throwable overloaded() {
        return new OverloadedException(maxInFlight);
    }

    /** Returns the smoothed round trip in nanoseconds; 0 before the first response. */
    public long roundTrip() {
        return roundTrip;
    }

    /**
     * Returns the listened nanoseconds since the last response while requests are in flight; on a cluster, of the most silent
     * master. 0 when idle.
     */
    public long silence() {
        return connection instanceof ClusterConnection cluster ? cluster.silence() : silence.nanos();
    }

    /**
     * Sends a request. There may never be a response: the caller sets a timeout ({@link RedisConnectionManager#within}).
     *
     * @return completes on the connection's event loop
     */
    public Future<Response> send(Request request) {
        if (inFlight.incrementAndGet() > maxInFlight) {
            inFlight.decrementAndGet();
            return Future.failedFuture(overloaded());
        }
        // The client completes a future on the current context, whose event loop may be stalled while this one listens.
        Promise<Response> promise = Promise.promise();
        execute(() -> sendOnEventLoop(request, promise));
        return promise.future();
    }

    private void sendOnEventLoop(Request request, Promise<Response> promise) {
        if (silence.sent() == 1) {
            busyListener.run();
        }
        long sentAt = System.nanoTime();
        connection.send(request).onComplete(done -> {
            silence.received();
            inFlight.decrementAndGet();
            updateRoundTrip(System.nanoTime() - sentAt);
            promise.handle(done);
        });
    }

    /** Returns whether requests are in flight. */
    boolean isBusy() {
        return silence.isBusy();
    }

    private void updateRoundTrip(long elapsed) {
        long previous = roundTrip;
        roundTrip = previous == 0 || elapsed < previous ? elapsed : previous + (elapsed - previous) / SMOOTHING;
    }

    /** Returns a sender for each server that holds a part of the keys: every master of a cluster, or the one server. */
    public List<Function<Request, Future<Response>>> servers() {
        return connection instanceof ClusterConnection cluster
                ? cluster.masters().stream().<Function<Request, Future<Response>>>map(master -> master::send).toList()
                : List.of(this::send);
    }

    /** Loads scripts into every server, so that the first call of each need not carry its source. Failures are ignored. */
    Future<Void> load(List<LuaScript> scripts) {
        var loading = servers().stream().flatMap(server -> scripts.stream()
                .map(script -> server.apply(Request.cmd(Command.SCRIPT).arg("LOAD").arg(script.source())))).toList();
        return Future.join(loading).<Void>mapEmpty().otherwiseEmpty();
    }

    /** Runs a script by its digest; sends its source if Redis does not have it. */
    public Future<Response> eval(LuaScript script, List<String> keyCount, List<String> arguments) {
        return send(request(Command.EVALSHA, script.sha1(), keyCount, arguments)).recover(failure -> isUnknownScript(failure)
                ? send(request(Command.EVAL, script.source(), keyCount, arguments))
                : Future.failedFuture(failure));
    }

    /**
     * Runs a script with encoded arguments; sends its source if Redis does not have it.
     *
     * @param keyCount number of leading parts that are keys; the others are arguments
     */
    public Future<Response> eval(LuaScript script, int keyCount, List<byte[]> parts) {
        return send(request(Command.EVALSHA, script.sha1(), keyCount, parts)).recover(failure -> isUnknownScript(failure)
                ? send(request(Command.EVAL, script.source(), keyCount, parts))
                : Future.failedFuture(failure));
    }

    private static boolean isUnknownScript(Throwable failure) {
        var message = failure.getMessage();
        return message != null && message.startsWith("NOSCRIPT");
    }

    private static Request request(Command command, String script, int keys, List<byte[]> parts) {
        var request = Request.cmd(command).arg(script).arg(keys);
        for (var part : parts) {
            request.arg(part);
        }
        return request;
    }

    static Request request(Command command, String script, List<String> keys, List<String> arguments) {
        var request = Request.cmd(command).arg(script).arg(keys.size());
        keys.forEach(request::arg);
        arguments.forEach(request::arg);
        return request;
    }

    /** Returns whether the request was certainly not executed: Redis replied with an error, or it was not sent. */
    public static boolean isRejection(Throwable failure) {
        return failure instanceof ErrorType && !CONNECTION_CLOSED.equals(failure.getMessage())
                || failure instanceof OverloadedException;
    }

    /** Returns whether the error concerns only the request's keys: one holds another type, or its slot is being migrated. */
    public static boolean isKeySpecific(Throwable failure) {
        return failure instanceof ErrorType && (failure.getMessage().contains("WRONGTYPE")
                || failure.getMessage().contains("TRYAGAIN"));
    }

    /** Returns whether the request was not executed because its keys are in different slots of a cluster. */
    public static boolean isCrossSlot(Throwable failure) {
        return failure instanceof ErrorType && failure.getMessage().startsWith("CROSSSLOT");
    }

    /** Returns whether Redis would reject any other write too: out of memory, a replica, loading, no permission, ... */
    static boolean isWriteRejection(Throwable failure) {
        return failure instanceof ErrorType && WRITE_REJECTIONS.matcher(failure.getMessage()).find();
    }

    void close() {
        connection.close();
    }

    /** Indicates that the maximum number of requests is in flight. */
    static final class OverloadedException extends StoreUnavailableException {

        private static final long serialVersionUID = 1;

        OverloadedException(int maxInFlight) {
            super(maxInFlight + " requests to Redis are in flight already (rate-limit.redis.max-waiting)", null);
        }
    }
}
