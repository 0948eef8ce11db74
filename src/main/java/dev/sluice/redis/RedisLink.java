package dev.sluice.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.limit.StoreUnavailableException;
import io.smallrye.common.vertx.VertxContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * The connection to Redis that everything is sent over, and that comes back by itself. While it is down, requests fail at
 * once, and a probe looks in the background whether Redis can decide again; no request is spent on that.
 */
public final class RedisLink {

    private static final long RETRY_MILLIS = 200;
    /** For a connection to be made, which may take a TLS handshake, and for the very first answer. */
    private static final long CONNECT_MILLIS = 1000;
    /** For all that is to be done between the first answer and the first decision; who does it bounds each step of it. */
    private static final long ARRIVAL_MILLIS = 60_000;
    /**
     * A decision that was not made weighs as much as so many that were: a shard of a cluster is a part only. Three of them in a
     * row, or one in four for long, and Redis counts as gone.
     */
    private static final int WEIGHT = 4;
    private static final int PATIENCE = 3 * WEIGHT;
    /** A link that went down so soon after it came up has to prove itself by more than one probe. */
    private static final Duration STEADY = Duration.ofSeconds(5);
    private static final int MOST_PROBES = 6;

    private final Vertx vertx;
    private final Supplier<Future<RedisConnection>> connector;
    private final int mostWaiting;
    private final Request probe;
    private final List<Consumer<Throwable>> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile Function<RedisChannel, Future<Void>> arrival = channel -> Future.succeededFuture();
    private volatile long timeoutMillis = CONNECT_MILLIS;
    private volatile RedisChannel channel;
    private volatile boolean up;
    private volatile boolean closed;
    private boolean wasUp;
    private long upSince;
    private int probesNeeded = 1;
    private int probesAnswered;

    /**
     * @param connector makes a connection, whenever one is needed
     * @param mostWaiting how many requests may wait for their answers
     */
    public RedisLink(Vertx vertx, Supplier<Future<RedisConnection>> connector, KeySpace keys, int mostWaiting) {
        this.vertx = vertx;
        this.connector = connector;
        this.mostWaiting = mostWaiting;
        // A Redis that answers but runs no script, or writes nothing, is as good as gone.
        this.probe = RedisChannel.request(Command.EVAL, RedisScript.load(RedisLink.class, "probe.lua").source(),
                List.of(keys.single("probe")), List.of());
    }

    /** A Redis that takes longer than this for an answer is as good as gone. To be called before {@link #start}. */
    public void answersWithin(Duration timeout) {
        timeoutMillis = Math.max(1, timeout.toMillis());
    }

    /** What is to be done whenever Redis answers again, before anything else is sent to it. To be called before {@link #start}. */
    public void onArrival(Function<RedisChannel, Future<Void>> task) {
        arrival = task;
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
        return look().onComplete(looked -> {
            if (looked.succeeded() && looked.result()) {
                return;
            }
            if (looked.failed()) {
                probesAnswered = 0;
                discard(channel);
                change(false, looked.cause());
            }
            vertx.setTimer(RETRY_MILLIS, timer -> probe());
        }).mapEmpty();
    }

    /** Whether the link is up now; fails where Redis does not answer in time. */
    private Future<Boolean> look() {
        var current = channel;
        var connected = current == null ? connect() : Future.succeededFuture(current);
        return connected.compose(open -> within(wasUp ? timeoutMillis : CONNECT_MILLIS, open.send(probe))
                .compose(answer -> ++probesAnswered < probesNeeded
                        ? Future.succeededFuture(false)
                        : within(ARRIVAL_MILLIS, arrival.apply(open)).map(arrived -> change(true, null))));
    }

    private Future<RedisChannel> connect() {
        var abandoned = new boolean[1];
        return within(CONNECT_MILLIS, connector.get().compose(connection -> {
            if (abandoned[0] || closed) {
                connection.close();
                return Future.failedFuture("abandoned");
            }
            var open = new RedisChannel(connection, VertxContext.getRootContext(vertx.getOrCreateContext()), mostWaiting);
            connection.exceptionHandler(failure -> lost(open, failure));
            connection.endHandler(end -> lost(open, new StoreUnavailableException("Redis closed the connection", null)));
            channel = open;
            return Future.succeededFuture(open);
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

    private void lost(RedisChannel open, Throwable cause) {
        if (channel == open) {
            discard(open);
            goDown(cause);
        }
    }

    private void discard(RedisChannel open) {
        channel = null;
        if (open != null) {
            open.close();
        }
    }

    private void goDown(Throwable cause) {
        if (change(false, cause)) {
            discard(channel); // what was lost once is not trusted again: it may lead to a master that is none any more
            vertx.runOnContext(now -> probe());
        }
    }

    private synchronized boolean change(boolean nowUp, Throwable cause) {
        if (up == nowUp || closed || nowUp && channel == null) {
            return false;
        }
        if (nowUp) {
            wasUp = true;
            upSince = System.nanoTime();
            unanswered.set(0);
        } else {
            probesNeeded = System.nanoTime() - upSince < STEADY.toNanos() ? Math.min(2 * probesNeeded, MOST_PROBES) : 1;
            probesAnswered = 0;
        }
        up = nowUp;
        listeners.forEach(listener -> listener.accept(nowUp ? null : cause));
        return true;
    }

    /** How to send something now; fails at once while the link is down. */
    public Future<RedisChannel> channel() {
        var open = open();
        return open != null
                ? Future.succeededFuture(open)
                : Future.failedFuture(new StoreUnavailableException("Redis is out of reach", null));
    }

    /** How to send something now; null while the link is down. */
    public RedisChannel open() {
        return up ? channel : null;
    }

    public Vertx vertx() {
        return vertx;
    }

    /** Sends at once, or fails at once. The answer may never come: who waits for it bounds the wait and tells of it. */
    public Future<Response> send(Request request) {
        return channel().compose(open -> open.send(request));
    }

    /** Runs a script as {@link #send} does; sends it whole where Redis has forgotten it. */
    public Future<Response> eval(RedisScript script, List<String> keys, List<String> arguments) {
        return channel().compose(open -> open.eval(script, keys, arguments));
    }

    /** A decision was made. */
    public void succeeded() {
        if (unanswered.get() > 0) {
            unanswered.decrementAndGet();
        }
    }

    /** A decision was not made: the answer did not come in time, or was an error. */
    public void failed(Throwable cause) {
        if (up && !(cause instanceof RedisChannel.OverloadedException) && !RedisChannel.concernsItsKeysOnly(cause)
                && unanswered.addAndGet(WEIGHT) >= PATIENCE) {
            goDown(cause);
        }
    }

    /** Redis answers, but not as it should: it does not write. */
    public void refused(Throwable cause) {
        if (!RedisChannel.concernsItsKeysOnly(cause)) {
            goDown(cause);
        }
    }

    public void close() {
        closed = true;
        discard(channel);
        up = false;
    }
}
