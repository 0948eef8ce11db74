package dev.sluice.cluster;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.memory.InMemoryWindowStore;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * Sends heartbeats while connected. After an outage, replays usage recorded locally into Redis and waits until the other instances
 * have done the same, before decisions are made in Redis again.
 */
public final class RecoveryCoordinator {

    /** Heartbeat interval per instance: it grows with the number of instances, so that their total rate stays constant. */
    private static final long HEARTBEAT_MILLIS_PER_INSTANCE = 20;
    private static final long MIN_HEARTBEAT_MILLIS = 100;
    private static final long MAX_HEARTBEAT_MILLIS = 500;
    /** Timeout of each reply during recovery. */
    private static final long REPLY_TIMEOUT_MILLIS = 2000;
    private static final long PEER_POLL_MILLIS = 20;
    /** Maximum wait for the other instances, which may be gone. */
    private static final Duration PEER_TIMEOUT = Duration.ofMillis(1200);
    /** Writes in this period before a failover may not have been replicated to the new master. */
    private static final long REPLICATION_LAG_MICROS = 10_000_000;

    private final Vertx vertx;
    private final RedisConnectionManager manager;
    private final InstanceRegistry registry;
    private final InMemoryWindowStore memory;
    private final UsageMerger merger;
    private final long timeoutMillis;
    private final long timeoutNanos;
    /** The connection on which a heartbeat is in flight. */
    private final AtomicReference<RedisScriptConnection> heartbeatConnection = new AtomicReference<>();
    private volatile Function<RedisScriptConnection, Future<Void>> beforePeers = connection -> Future.succeededFuture();
    private volatile long upSince;
    private volatile boolean stopped;

    public RecoveryCoordinator(Vertx vertx, RedisConnectionManager manager, InstanceRegistry registry,
            InMemoryWindowStore memory,
            UsageMerger merger, Duration timeout) {
        this.vertx = vertx;
        this.manager = manager;
        this.registry = registry;
        this.memory = memory;
        this.merger = merger;
        this.timeoutMillis = Math.max(1, timeout.toMillis());
        this.timeoutNanos = timeout.toNanos();
        manager.onReconnect(this::recover);
        manager.onChange(cause -> {
            upSince = System.nanoTime();
            if (cause == null) {
                sendHeartbeat(); // merges grants made during the recovery
            }
        });
    }

    /**
     * Sets a task of the recovery: what it writes over the connection is in Redis before any other instance that takes part in the
     * recovery makes decisions in Redis again.
     */
    public void beforePeers(Function<RedisScriptConnection, Future<Void>> task) {
        beforePeers = task;
    }

    /** Starts the heartbeats. */
    public void start() {
        vertx.setTimer(
                Math.max(MIN_HEARTBEAT_MILLIS, Math.min(MAX_HEARTBEAT_MILLIS, HEARTBEAT_MILLIS_PER_INSTANCE * registry.size())),
                now -> {
                    if (!stopped) {
                        sendHeartbeat();
                        start();
                    }
                });
    }

    /** Recovers after an outage, on a proven connection, before the circuit closes. */
    private Future<Void> recover(RedisScriptConnection connection) {
        var peers = registry.peers();
        long deadline = System.nanoTime() + PEER_TIMEOUT.toNanos();
        return withTimeout(registry.query(connection)).compose(reply -> {
            applyResets(reply);
            long logsSince = Math.min(reply.lostSince(), registry.acknowledgedAt()) - REPLICATION_LAG_MICROS;
            return markUnsyncedSince(logsSince, countersLostSince(connection, reply))
                    .compose(recorded -> withTimeout(registry.mark(connection)))
                    .compose(marked -> merger.merge(connection))
                    .compose(merged -> withTimeout(beforePeers.apply(connection)).otherwiseEmpty())
                    .compose(merged -> awaitPeers(connection, peers, reply.serverMicros(), deadline));
        });
    }

    /** On a cluster, one mark says nothing about the other masters, whose sub-window counts would be added twice. */
    private static long countersLostSince(RedisScriptConnection connection, InstanceRegistry.AnnounceReply reply) {
        return connection.servers().size() > 1 ? InstanceRegistry.NOTHING_LOST : reply.lostSince();
    }

    /** Runs on a worker thread: it visits all windows. */
    private Future<Void> markUnsyncedSince(long logsSince, long countersSince) {
        return vertx.executeBlocking(() -> {
            memory.markUnsyncedSince(logsSince, countersSince);
            return null;
        });
    }

    private <T> Future<T> withTimeout(Future<T> future) {
        return manager.within(REPLY_TIMEOUT_MILLIS, future);
    }

    /**
     * Goes on deciding locally and merging into Redis until all peers have sent a heartbeat since a time, or until the deadline.
     *
     * @param since microseconds by Redis's clock
     * @param deadline by {@link System#nanoTime}
     */
    private Future<Void> awaitPeers(RedisScriptConnection connection, Set<String> peers, long since, long deadline) {
        return withTimeout(registry.announce(connection)).compose(reply -> {
            applyResets(reply);
            return merger.merge(connection).map(merged -> reply);
        }).compose(reply -> {
            registry.updateMembership(reply, false);
            boolean complete = peers.stream().allMatch(peer -> reply.lastSeen().getOrDefault(peer, 0L) >= since);
            return complete || System.nanoTime() - deadline > 0
                    ? Future.<Void>succeededFuture()
                    : pause().compose(now -> awaitPeers(connection, peers, since, deadline));
        });
    }

    private Future<Void> pause() {
        Promise<Void> promise = Promise.promise();
        vertx.setTimer(PEER_POLL_MILLIS, now -> promise.complete());
        return promise.future();
    }

    private void sendHeartbeat() {
        var connection = manager.connectionOrNull();
        if (connection == null || heartbeatConnection.getAndSet(connection) == connection) {
            return;
        }
        long sentAt = connection.clock().at(System.nanoTime());
        heartbeat(connection).onComplete(done -> {
            heartbeatConnection.compareAndSet(connection, null);
            if (done.failed()) {
                if (RedisScriptConnection.isRejection(done.cause())) {
                    manager.reportRejection(done.cause());
                }
            } else if (connection.clock().listened() - sentAt > timeoutNanos) {
                manager.reportLate(sentAt);
            } else {
                manager.reportSuccess();
            }
        });
    }

    private Future<Void> heartbeat(RedisScriptConnection connection) {
        return registry.announce(connection).onSuccess(reply -> {
            applyResets(reply);
            registry.updateMembership(reply, System.nanoTime() - upSince > InstanceRegistry.EXPIRY.toNanos());
            if (reply.lostSince() == InstanceRegistry.ALL_LOST) {
                memory.resetAllNow(); // emptied while available: by an operator, on purpose
            } else if (reply.lostSince() != InstanceRegistry.NOTHING_LOST) {
                markUnsyncedSince(reply.lostSince() - REPLICATION_LAG_MICROS, countersLostSince(connection, reply))
                        .onSuccess(recorded -> merger.merge(connection));
            }
            merger.merge(connection);
        }).mapEmpty();
    }

    private void applyResets(InstanceRegistry.AnnounceReply reply) {
        for (var reset : reply.resets()) {
            if (reset.identifier().isEmpty()) {
                memory.resetAllNow();
            } else {
                memory.resetNow(reset.identifier(), reset.resource());
            }
        }
    }

    /** Stops the heartbeats and leaves, so that the other instances take over this one's share of the limits. */
    public Future<Void> stop() {
        stopped = true;
        return manager.within(timeoutMillis, manager.connection().compose(registry::leave));
    }
}
