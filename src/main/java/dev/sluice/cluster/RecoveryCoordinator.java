package dev.sluice.cluster;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.memory.InMemoryWindowStore;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * What an instance does to be one of many: it announces itself while Redis answers; and when Redis returns, it brings back
 * what was granted meanwhile, and waits until the others have done so too, before it decides there again.
 */
public final class RecoveryCoordinator {

    /** Between two heartbeats of an instance: the more instances, the longer, so that all of them cost Redis alike. */
    private static final long HEARTBEAT_MILLIS_PER_INSTANCE = 20;
    private static final long MIN_HEARTBEAT_MILLIS = 100;
    private static final long MAX_HEARTBEAT_MILLIS = 500;
    /** For each answer, while Redis is told what it missed. */
    private static final long REPLY_TIMEOUT_MILLIS = 2000;
    private static final long PEER_POLL_MILLIS = 20;
    /** How long it waits for the others, which may be gone too. */
    private static final Duration PEER_TIMEOUT = Duration.ofMillis(1200);
    /** What was written last before a failover may not have got to the new master. */
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
    private volatile long upSince;
    private volatile boolean stopped;

    public RecoveryCoordinator(Vertx vertx, RedisConnectionManager manager, InstanceRegistry registry, InMemoryWindowStore memory,
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
                sendHeartbeat(); // what was granted while the link came up
            }
        });
    }

    public void start() {
        vertx.setTimer(Math.max(MIN_HEARTBEAT_MILLIS, Math.min(MAX_HEARTBEAT_MILLIS, HEARTBEAT_MILLIS_PER_INSTANCE * registry.size())),
                now -> {
                    if (!stopped) {
                        sendHeartbeat();
                        start();
                    }
                });
    }

    /** Redis answers. */
    private Future<Void> recover(RedisScriptConnection connection) {
        var peers = registry.peers();
        long deadline = System.nanoTime() + PEER_TIMEOUT.toNanos();
        return bounded(registry.query(connection)).compose(reply -> {
            applyResets(reply);
            long logsSince = Math.min(reply.lostSince(), registry.acknowledgedAt()) - REPLICATION_LAG_MICROS;
            return markUnsyncedSince(logsSince, countersLostSince(connection, reply)).compose(recorded -> bounded(registry.mark(connection)))
                    .compose(marked -> merger.merge(connection))
                    .compose(merged -> awaitPeers(connection, peers, reply.serverMicros(), deadline));
        });
    }

    /** One mark tells nothing of the other masters of a cluster; what their sub-windows hold would be counted twice. */
    private static long countersLostSince(RedisScriptConnection connection, InstanceRegistry.AnnounceReply reply) {
        return connection.servers().size() > 1 ? InstanceRegistry.NOTHING_LOST : reply.lostSince();
    }

    /** It may take a while to look through all that there is. */
    private Future<Void> markUnsyncedSince(long logsSince, long countersSince) {
        return vertx.executeBlocking(() -> {
            memory.markUnsyncedSince(logsSince, countersSince);
            return null;
        });
    }

    private <T> Future<T> bounded(Future<T> future) {
        return manager.within(REPLY_TIMEOUT_MILLIS, future);
    }

    /** Goes on deciding here, and bringing that to Redis, until the others have been heard since this time. */
    private Future<Void> awaitPeers(RedisScriptConnection connection, Set<String> peers, long since, long deadline) {
        return bounded(registry.announce(connection)).compose(reply -> {
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
                manager.reportLate();
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
                memory.resetAllNow(); // nobody but who controls Redis empties it while it answers: that is meant
            } else if (reply.lostSince() != InstanceRegistry.NOTHING_LOST) {
                markUnsyncedSince(reply.lostSince() - REPLICATION_LAG_MICROS, countersLostSince(connection, reply)).onSuccess(recorded -> merger.merge(connection));
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

    /** This instance stops: its part of the limits is the others'. */
    public Future<Void> stop() {
        stopped = true;
        return manager.within(timeoutMillis, manager.connection().compose(registry::leave));
    }
}
