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
    private static final long BEAT_MILLIS_PER_INSTANCE = 20;
    private static final long LEAST_BEAT_MILLIS = 100;
    private static final long MOST_BEAT_MILLIS = 500;
    /** For each answer, while Redis is told what it missed. */
    private static final long ANSWER_MILLIS = 2000;
    private static final long GATHERING_PAUSE_MILLIS = 20;
    /** How long it waits for the others, which may be gone too. */
    private static final Duration GATHERING = Duration.ofMillis(1200);
    /** What was written last before a failover may not have got to the new master. */
    private static final long DOUBT_MICROS = 10_000_000;

    private final Vertx vertx;
    private final RedisConnectionManager link;
    private final InstanceRegistry fleet;
    private final InMemoryWindowStore memory;
    private final UsageMerger merger;
    private final long timeoutMillis;
    private final long timeoutNanos;
    /** The connection on which a heartbeat is in flight. */
    private final AtomicReference<RedisScriptConnection> beating = new AtomicReference<>();
    private volatile long upSince;
    private volatile boolean stopped;

    public RecoveryCoordinator(Vertx vertx, RedisConnectionManager link, InstanceRegistry fleet, InMemoryWindowStore memory,
            UsageMerger merger, Duration timeout) {
        this.vertx = vertx;
        this.link = link;
        this.fleet = fleet;
        this.memory = memory;
        this.merger = merger;
        this.timeoutMillis = Math.max(1, timeout.toMillis());
        this.timeoutNanos = timeout.toNanos();
        link.onArrival(this::arrive);
        link.onChange(cause -> {
            upSince = System.nanoTime();
            if (cause == null) {
                beat(); // what was granted while the link came up
            }
        });
    }

    public void start() {
        vertx.setTimer(Math.max(LEAST_BEAT_MILLIS, Math.min(MOST_BEAT_MILLIS, BEAT_MILLIS_PER_INSTANCE * fleet.size())),
                now -> {
                    if (!stopped) {
                        beat();
                        start();
                    }
                });
    }

    /** Redis answers. */
    private Future<Void> arrive(RedisScriptConnection channel) {
        var peers = fleet.peers();
        long deadline = System.nanoTime() + GATHERING.toNanos();
        return bounded(fleet.ask(channel)).compose(answer -> {
            forget(answer);
            long logs = Math.min(answer.lostSince(), fleet.acknowledgedAt()) - DOUBT_MICROS;
            return owe(logs, rings(channel, answer)).compose(owed -> bounded(fleet.mark(channel)))
                    .compose(marked -> merger.merge(channel))
                    .compose(merged -> gather(channel, peers, answer.clock(), deadline));
        });
    }

    /** One mark tells nothing of the other masters of a cluster; what their sub-windows hold would be counted twice. */
    private static long rings(RedisScriptConnection channel, InstanceRegistry.Answer answer) {
        return channel.servers().size() > 1 ? InstanceRegistry.INTACT : answer.lostSince();
    }

    /** It may take a while to look through all that there is. */
    private Future<Void> owe(long logs, long rings) {
        return vertx.executeBlocking(() -> {
            memory.oweSince(logs, rings);
            return null;
        });
    }

    private <T> Future<T> bounded(Future<T> future) {
        return link.within(ANSWER_MILLIS, future);
    }

    /** Goes on deciding here, and bringing that to Redis, until the others have been heard since this time. */
    private Future<Void> gather(RedisScriptConnection channel, Set<String> peers, long since, long deadline) {
        return bounded(fleet.announce(channel)).compose(answer -> {
            forget(answer);
            return merger.merge(channel).map(merged -> answer);
        }).compose(answer -> {
            fleet.learn(answer, false);
            boolean gathered = peers.stream().allMatch(peer -> answer.heard().getOrDefault(peer, 0L) >= since);
            return gathered || System.nanoTime() - deadline > 0
                    ? Future.<Void>succeededFuture()
                    : pause().compose(now -> gather(channel, peers, since, deadline));
        });
    }

    private Future<Void> pause() {
        Promise<Void> promise = Promise.promise();
        vertx.setTimer(GATHERING_PAUSE_MILLIS, now -> promise.complete());
        return promise.future();
    }

    private void beat() {
        var channel = link.open();
        if (channel == null || beating.getAndSet(channel) == channel) {
            return;
        }
        long sent = channel.clock().at(System.nanoTime());
        look(channel).onComplete(looked -> {
            beating.compareAndSet(channel, null);
            if (looked.failed()) {
                if (RedisScriptConnection.refused(looked.cause())) {
                    link.refused(looked.cause());
                }
            } else if (channel.clock().listened() - sent > timeoutNanos) {
                link.late();
            } else {
                link.succeeded();
            }
        });
    }

    private Future<Void> look(RedisScriptConnection channel) {
        return fleet.announce(channel).onSuccess(answer -> {
            forget(answer);
            fleet.learn(answer, System.nanoTime() - upSince > InstanceRegistry.GONE.toNanos());
            if (answer.lostSince() == InstanceRegistry.ALL) {
                memory.resetAllNow(); // nobody but who controls Redis empties it while it answers: that is meant
            } else if (answer.lostSince() != InstanceRegistry.INTACT) {
                owe(answer.lostSince() - DOUBT_MICROS, rings(channel, answer)).onSuccess(owed -> merger.merge(channel));
            }
            merger.merge(channel);
        }).mapEmpty();
    }

    private void forget(InstanceRegistry.Answer answer) {
        for (var reset : answer.resets()) {
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
        return link.within(timeoutMillis, link.channel().compose(fleet::leave));
    }
}
