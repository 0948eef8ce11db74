package dev.sluice.redis;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/**
 * Reconnects to Redis while the circuit is open. A connection that was only silent is kept: a response on it proves that all
 * requests before were answered (RESP responses come in order), so that their results are known. At the same time a new
 * connection is tried, because the silent one may be dead. The first connection whose probes are answered in time is used.
 * <p>
 * Runs on the connection's event loop.
 */
final class Reconnection {

    /** Timeout of connecting, which may include a TLS handshake, and of the first response. */
    static final long CONNECT_TIMEOUT_MILLIS = 1000;
    /** Number of probes that must be answered in time after the circuit opened because of slow responses. */
    static final int PROBES_IF_SLOW = 3;

    private static final long RETRY_DELAY_MILLIS = 50;
    /** Timeout of the reconnect task, between the probes and the first decision; each of its steps has its own timeout. */
    private static final long RECONNECT_TASK_TIMEOUT_MILLIS = 60_000;
    /** Delay before a replaced connection is closed, in which its last responses may arrive. */
    private static final long CLOSE_DELAY_MILLIS = 1000;

    /** Owner of a reconnection: provides the event loop and its clock, and receives the connection. */
    interface Owner {

        ListenedClock clock();

        /** Returns the timeout of a response, in nanoseconds of listened time. */
        long timeoutNanos();

        boolean isClosed();

        /** Runs a task on the event loop after a delay. */
        void runLater(long millis, Runnable task);

        /** Fails a future that is not complete after this much listened time. */
        <T> Future<T> within(long millis, Future<T> future);

        /** Redis responds on this connection, and the reconnect task is done. */
        void onReconnected(RedisScriptConnection connection);
    }

    /** Reconnection attempts of one outage. */
    private final class Attempts {

        private final int probes;
        private final Promise<Void> firstAttempt;
        /** The silent connection; null if there is none or it is lost. */
        private RedisScriptConnection kept;
        private boolean responded;
        /** The connection whose probes were answered; null until there is one. */
        private RedisScriptConnection proven;

        Attempts(RedisScriptConnection kept, int probes, Promise<Void> firstAttempt) {
            this.kept = kept;
            this.probes = probes;
            this.firstAttempt = firstAttempt;
        }

        boolean isOver() {
            return current != this;
        }

        void start() {
            if (kept == null) {
                connect();
            } else {
                var silent = kept;
                prove(silent, 0).onComplete(done -> {
                    if (done.succeeded()) {
                        adopt(silent);
                    } else {
                        connectionLost(silent);
                    }
                });
                owner.runLater(RETRY_DELAY_MILLIS, this::connect);
            }
        }

        private void connect() {
            if (isOver() || proven != null) {
                return;
            }
            if (isResponding()) {
                owner.runLater(RETRY_DELAY_MILLIS, this::connect);
                return;
            }
            open().compose(connection -> owner.within(CONNECT_TIMEOUT_MILLIS, prove(connection, 0)).map(connection)
                    .onFailure(failure -> connection.close())).onComplete(done -> {
                        if (done.failed()) {
                            attemptFailed(done.cause());
                        } else if (!adopt(done.result())) {
                            done.result().close();
                        }
                    });
        }

        /** Returns whether the kept connection is slow rather than dead. */
        private boolean isResponding() {
            return kept != null && responded && kept.silence() < TimeUnit.MILLISECONDS.toNanos(CONNECT_TIMEOUT_MILLIS);
        }

        private Future<RedisScriptConnection> open() {
            var abandoned = new boolean[1];
            return owner.within(CONNECT_TIMEOUT_MILLIS, connector.get().compose(connection -> {
                if (abandoned[0] || isOver()) {
                    connection.close();
                    return Future.failedFuture("abandoned");
                }
                return Future.succeededFuture(connection);
            })).onFailure(failure -> abandoned[0] = true);
        }

        /** Completes when enough consecutive probes were answered in time; fails if a probe fails. */
        private Future<Void> prove(RedisScriptConnection connection, int passed) {
            long sentAt = owner.clock().at(System.nanoTime());
            return connection.send(probe).compose(response -> {
                if (isOver() || proven != null) {
                    return Future.failedFuture("abandoned");
                }
                responded |= connection == kept;
                boolean inTime = owner.clock().listened() - sentAt <= (wasUp ? owner.timeoutNanos() : Long.MAX_VALUE);
                int nowPassed = inTime ? passed + 1 : 0;
                return nowPassed >= probes ? Future.succeededFuture() : pause().compose(paused -> prove(connection, nowPassed));
            });
        }

        /**
         * Runs the reconnect task on a proven connection, then closes the circuit with it.
         *
         * @return false if another connection was first
         */
        private boolean adopt(RedisScriptConnection connection) {
            if (isOver() || proven != null) {
                return false;
            }
            proven = connection;
            connection.load(preloaded); // not awaited: the first call of a script is sent after it
            owner.within(RECONNECT_TASK_TIMEOUT_MILLIS, reconnectTask.apply(connection)).onComplete(done -> {
                if (isOver() || proven != connection) {
                    connection.close();
                } else if (done.failed()) {
                    connectionLost(connection);
                } else {
                    current = null;
                    wasUp = true;
                    if (kept != null && kept != connection) {
                        var replaced = kept;
                        owner.runLater(CLOSE_DELAY_MILLIS, replaced::close);
                    }
                    owner.onReconnected(connection);
                    firstAttempt.tryComplete();
                }
            });
            return true;
        }

        private void connectionLost(RedisScriptConnection connection) {
            if (kept == connection) {
                kept = null;
                connection.close();
            }
            if (proven == connection) {
                proven = null;
                connection.close();
                attemptFailed(new IllegalStateException("The connection was lost"));
            }
        }

        private void attemptFailed(Throwable cause) {
            firstAttempt.tryFail(cause);
            if (!isOver()) {
                owner.runLater(RETRY_DELAY_MILLIS, this::connect);
            }
        }

        private void stop() {
            if (kept != null) {
                kept.close();
            }
            if (proven != null) {
                proven.close();
            }
            firstAttempt.tryFail("closed");
        }
    }

    private final Owner owner;
    private final Supplier<Future<RedisScriptConnection>> connector;
    private final Request probe;
    private final List<LuaScript> preloaded = new CopyOnWriteArrayList<>();
    private volatile Function<RedisScriptConnection, Future<Void>> reconnectTask = connection -> Future.succeededFuture();
    /** Null while the circuit is closed. */
    private Attempts current;
    private boolean wasUp;

    Reconnection(Owner owner, HashTags hashTags, Supplier<Future<RedisScriptConnection>> connector) {
        this.owner = owner;
        this.connector = connector;
        // The probe runs a script that writes: without either, Redis cannot decide.
        this.probe = RedisScriptConnection.request(Command.EVAL,
                LuaScript.load(Reconnection.class, "probe.lua").source(),
                List.of(hashTags.globalKey("probe")), List.of());
    }

    void preload(LuaScript script) {
        preloaded.add(script);
    }

    void onReconnect(Function<RedisScriptConnection, Future<Void>> task) {
        reconnectTask = task;
    }

    /**
     * Starts to reconnect.
     *
     * @param silent the connection that stopped responding; null if there is none
     * @param probes number of consecutive probes that Redis must answer in time
     * @param firstAttempt completes or fails with the first attempt
     */
    void start(RedisScriptConnection silent, int probes, Promise<Void> firstAttempt) {
        if (owner.isClosed()) {
            firstAttempt.tryFail("closed");
            return;
        }
        current = new Attempts(silent, probes, firstAttempt);
        current.start();
    }

    void connectionLost(RedisScriptConnection connection) {
        if (current != null) {
            current.connectionLost(connection);
        }
    }

    void stop() {
        var ending = current;
        current = null;
        if (ending != null) {
            ending.stop();
        }
    }

    private Future<Void> pause() {
        Promise<Void> promise = Promise.promise();
        owner.runLater(RETRY_DELAY_MILLIS, promise::complete);
        return promise.future();
    }
}
