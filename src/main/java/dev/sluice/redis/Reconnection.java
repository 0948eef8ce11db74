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
 * Brings Redis back while the circuit is open. A connection that was only silent is kept: a response on it proves that all
 * requests before were answered (RESP responses come in order), so that what they were granted is known. At the same time a new
 * connection is tried, because the silent one may be dead. The first that answers its probes in time is used.
 * <p>
 * All of it happens on the connection's event loop.
 */
final class Reconnection {

    /** For a connection to be made, which may take a TLS handshake, and for the very first response. */
    static final long CONNECT_MILLIS = 1000;
    /** A Redis that was too slow has to answer this many probes in time. */
    static final int PROBES_IF_SLOW = 3;

    private static final long RETRY_MILLIS = 50;
    /** For all that is done between the probes and the first decision; each step of it has a bound of its own. */
    private static final long ARRIVAL_MILLIS = 60_000;
    /** How long a replaced connection may still bring responses. */
    private static final long LAST_RESPONSES_MILLIS = 1000;

    /** The attempts of one outage. */
    private final class Attempts {

        private final int probes;
        private final Promise<Void> first;
        /** The silent connection; null where there is none, or it is lost. */
        private RedisScriptConnection kept;
        private boolean responded;
        /** The connection that has answered its probes. */
        private RedisScriptConnection proven;

        Attempts(RedisScriptConnection kept, int probes, Promise<Void> first) {
            this.kept = kept;
            this.probes = probes;
            this.first = first;
        }

        boolean over() {
            return current != this;
        }

        void begin() {
            if (kept == null) {
                connect();
            } else {
                var silent = kept;
                prove(silent, 0).onComplete(done -> {
                    if (done.succeeded()) {
                        arrive(silent);
                    } else {
                        lost(silent);
                    }
                });
                link.runIn(RETRY_MILLIS, this::connect);
            }
        }

        private void connect() {
            if (over() || proven != null) {
                return;
            }
            if (responding()) {
                link.runIn(RETRY_MILLIS, this::connect);
                return;
            }
            open().compose(channel -> link.within(CONNECT_MILLIS, prove(channel, 0)).map(channel)
                    .onFailure(failure -> channel.close())).onComplete(done -> {
                        if (done.failed()) {
                            failed(done.cause());
                        } else if (!arrive(done.result())) {
                            done.result().close();
                        }
                    });
        }

        /** Returns whether the kept connection is not dead, but slow. */
        private boolean responding() {
            return kept != null && responded && kept.silence() < TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS);
        }

        private Future<RedisScriptConnection> open() {
            var abandoned = new boolean[1];
            return link.within(CONNECT_MILLIS, connector.get().compose(channel -> {
                if (abandoned[0] || over()) {
                    channel.close();
                    return Future.failedFuture("abandoned");
                }
                return Future.succeededFuture(channel);
            })).onFailure(failure -> abandoned[0] = true);
        }

        /** Completes when the connection has answered as many probes in time as are needed; fails when it has answered none. */
        private Future<Void> prove(RedisScriptConnection channel, int answered) {
            long sent = link.clock().at(System.nanoTime());
            return channel.send(probe).compose(response -> {
                if (over() || proven != null) {
                    return Future.failedFuture("abandoned");
                }
                responded |= channel == kept;
                boolean inTime = link.clock().listened() - sent <= (wasUp ? link.timeoutNanos() : Long.MAX_VALUE);
                int now = inTime ? answered + 1 : 0;
                return now >= probes ? Future.succeededFuture() : pause().compose(over -> prove(channel, now));
            });
        }

        /** @return false where another connection was first */
        private boolean arrive(RedisScriptConnection channel) {
            if (over() || proven != null) {
                return false;
            }
            proven = channel;
            channel.load(preloaded); // nobody waits for it: the first call of a script comes behind
            link.within(ARRIVAL_MILLIS, arrival.apply(channel)).onComplete(done -> {
                if (over() || proven != channel) {
                    channel.close();
                } else if (done.failed()) {
                    lost(channel);
                } else {
                    current = null;
                    wasUp = true;
                    if (kept != null && kept != channel) {
                        var replaced = kept;
                        link.runIn(LAST_RESPONSES_MILLIS, replaced::close);
                    }
                    link.close(channel);
                    first.tryComplete();
                }
            });
            return true;
        }

        private void lost(RedisScriptConnection channel) {
            if (kept == channel) {
                kept = null;
                channel.close();
            }
            if (proven == channel) {
                proven = null;
                channel.close();
                failed(new IllegalStateException("The connection was lost"));
            }
        }

        private void failed(Throwable cause) {
            first.tryFail(cause);
            if (!over()) {
                link.runIn(RETRY_MILLIS, this::connect);
            }
        }

        private void end() {
            if (kept != null) {
                kept.close();
            }
            if (proven != null) {
                proven.close();
            }
            first.tryFail("closed");
        }
    }

    private final RedisConnectionManager link;
    private final Supplier<Future<RedisScriptConnection>> connector;
    private final Request probe;
    private final List<LuaScript> preloaded = new CopyOnWriteArrayList<>();
    private volatile Function<RedisScriptConnection, Future<Void>> arrival = channel -> Future.succeededFuture();
    /** Null while the circuit is closed. */
    private Attempts current;
    private boolean wasUp;

    Reconnection(RedisConnectionManager link, HashTags keys, Supplier<Future<RedisScriptConnection>> connector) {
        this.link = link;
        this.connector = connector;
        // A Redis that answers but runs no script, or writes nothing, cannot decide.
        this.probe = RedisScriptConnection.request(Command.EVAL,
                LuaScript.load(RedisConnectionManager.class, "probe.lua").source(),
                List.of(keys.single("probe")), List.of());
    }

    void preload(LuaScript script) {
        preloaded.add(script);
    }

    void onArrival(Function<RedisScriptConnection, Future<Void>> task) {
        arrival = task;
    }

    /**
     * @param silent the connection that was not answered; null where there is none
     * @param probes how many times Redis has to answer a probe in time
     * @param first completes with the first attempt
     */
    void begin(RedisScriptConnection silent, int probes, Promise<Void> first) {
        if (link.closed()) {
            first.tryFail("closed");
            return;
        }
        current = new Attempts(silent, probes, first);
        current.begin();
    }

    void lost(RedisScriptConnection channel) {
        if (current != null) {
            current.lost(channel);
        }
    }

    void end() {
        var ending = current;
        current = null;
        if (ending != null) {
            ending.end();
        }
    }

    private Future<Void> pause() {
        Promise<Void> promise = Promise.promise();
        link.runIn(RETRY_MILLIS, promise::complete);
        return promise.future();
    }
}
