package dev.sluice.redis;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import dev.sluice.limit.StoreUnavailableException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * One connection to Redis that everything is sent over, one request behind the other, and that comes back by itself. While it
 * is down, requests fail at once.
 */
public final class RedisLink {

    private static final long RETRY_MILLIS = 200;
    private static final long PROBE_TIMEOUT_MILLIS = 1000;
    /** So many decisions in a row that were not made, and Redis counts as gone. */
    private static final int PATIENCE = 3;

    private final Vertx vertx;
    private final Redis redis;
    private final Request probe;
    private final List<Consumer<Throwable>> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile RedisConnection connection;
    private volatile boolean up;
    private volatile boolean closed;

    public RedisLink(Vertx vertx, Redis redis, KeySpace keys) {
        this.vertx = vertx;
        this.redis = redis;
        // A Redis that answers but runs no script, or writes nothing, is as good as gone.
        this.probe = request(Command.EVAL, RedisScript.load(RedisLink.class, "probe.lua").source(),
                List.of(keys.single("probe")), List.of());
    }

    /** @param listener hears null when the link comes up, and the cause when it goes down */
    public void onChange(Consumer<Throwable> listener) {
        listeners.add(listener);
    }

    public boolean up() {
        return up;
    }

    /** Completes when the first attempt has succeeded or failed; the attempts go on either way. */
    public Future<Void> start() {
        return probe();
    }

    private Future<Void> probe() {
        if (closed) {
            return Future.failedFuture("closed");
        }
        var current = connection;
        var connected = current == null ? connect() : Future.succeededFuture(current);
        return within(PROBE_TIMEOUT_MILLIS, connected.compose(open -> open.send(probe)))
                .onComplete(pong -> {
                    if (pong.succeeded()) {
                        unanswered.set(0);
                        change(true, null);
                    } else {
                        discard(connection);
                        change(false, pong.cause());
                        vertx.setTimer(RETRY_MILLIS, timer -> probe());
                    }
                }).mapEmpty();
    }

    private Future<RedisConnection> connect() {
        var abandoned = new boolean[1];
        return within(PROBE_TIMEOUT_MILLIS, redis.connect().onSuccess(open -> {
            if (abandoned[0] || closed) {
                open.close();
                return;
            }
            open.exceptionHandler(failure -> lost(open, failure));
            open.endHandler(end -> lost(open, new StoreUnavailableException("Redis closed the connection", null)));
            connection = open;
        })).onFailure(failure -> abandoned[0] = true);
    }

    /** The same, but it fails where Redis lets it wait for longer. */
    public <T> Future<T> within(long millis, Future<T> future) {
        Promise<T> promise = Promise.promise();
        long timer = vertx.setTimer(millis,
                id -> promise.tryFail(new StoreUnavailableException("Redis did not answer in " + millis + " ms", null)));
        future.onComplete(done -> {
            vertx.cancelTimer(timer);
            if (done.succeeded()) {
                promise.tryComplete(done.result());
            } else {
                promise.tryFail(done.cause());
            }
        });
        return promise.future();
    }

    private void lost(RedisConnection open, Throwable cause) {
        if (connection == open) {
            discard(open);
            goDown(cause);
        }
    }

    private void discard(RedisConnection open) {
        connection = null;
        if (open != null) {
            open.close();
        }
    }

    private void goDown(Throwable cause) {
        if (change(false, cause)) {
            discard(connection); // what was lost once is not trusted again: it may lead to a master that is none any more
            vertx.runOnContext(now -> probe());
        }
    }

    private synchronized boolean change(boolean nowUp, Throwable cause) {
        if (up == nowUp || closed) {
            return false;
        }
        up = nowUp;
        listeners.forEach(listener -> listener.accept(nowUp ? null : cause));
        return true;
    }

    /** Sends at once, or fails at once. The answer may never come: who waits for it bounds the wait and tells of it. */
    public Future<Response> send(Request request) {
        var open = connection;
        if (!up || open == null) {
            return Future.failedFuture(new StoreUnavailableException("Redis is out of reach", null));
        }
        return open.send(request);
    }

    /** Runs a script as {@link #send} does; sends it whole where Redis has forgotten it. */
    public Future<Response> eval(RedisScript script, List<String> keys, List<String> arguments) {
        return send(request(Command.EVALSHA, script.sha1(), keys, arguments)).recover(failure -> {
            var message = failure.getMessage();
            return message != null && message.startsWith("NOSCRIPT")
                    ? send(request(Command.EVAL, script.source(), keys, arguments))
                    : Future.failedFuture(failure);
        });
    }

    private static Request request(Command command, String script, List<String> keys, List<String> arguments) {
        var request = Request.cmd(command).arg(script).arg(keys.size());
        keys.forEach(request::arg);
        arguments.forEach(request::arg);
        return request;
    }

    /** A decision was made. */
    public void succeeded() {
        if (unanswered.get() != 0) {
            unanswered.set(0);
        }
    }

    /** A decision was not made: the answer did not come in time, or was an error. */
    public void failed(Throwable cause) {
        if (up && unanswered.incrementAndGet() >= PATIENCE) {
            goDown(cause);
        }
    }

    public void close() {
        closed = true;
        discard(connection);
        up = false;
    }
}
