package dev.sluice.directory.cache;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.directory.DirectoryCalls;
import dev.sluice.directory.IdentityKind;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Response;

/**
 * Polls the stream of changes and evicts what has changed. A Pub/Sub subscription would be faster, but cannot detect that it no
 * longer receives messages. Each successful poll confirms the cache: changes are numbered, so a missing entry is noticed.
 */
final class ChangePoller {

    static final long POLL_INTERVAL_MILLIS = 250;

    private static final int FIELDS_PER_CHANGE = 3;

    private final RedisConnectionManager manager;
    private final DirectoryCalls calls;
    private final IdentityCache cache;
    private final LuaScript script;
    private final AtomicBoolean polling = new AtomicBoolean();
    private final RedisTime time = new RedisTime();
    /** Position up to which changes are processed; null if it is not known. Accessed on the connection's event loop only. */
    private Position position;
    /** Number of the connection. */
    private volatile int connections;
    /** Number of identities of each kind in Redis; null until it was read once. */
    private volatile long[] counts;

    ChangePoller(RedisConnectionManager manager, DirectoryCalls calls, IdentityCache cache, String timeExpression) {
        this.manager = manager;
        this.calls = calls;
        this.cache = cache;
        this.script = LuaScript.load(ChangePoller.class, "changes.lua", timeExpression);
        manager.onChange(cause -> restart());
    }

    /** Starts to poll, at once and then every {@value #POLL_INTERVAL_MILLIS} milliseconds. */
    void start() {
        manager.onChange(cause -> {
            if (cause == null) {
                poll();
            }
        });
        manager.runEvery(POLL_INTERVAL_MILLIS, this::poll);
    }

    /** Another Redis may reply after a reconnection, which lacks the last changes of the one before. */
    private void restart() {
        connections++; // on the connection's event loop only
        position = null;
        cache.restart(cache.confirmation().at());
    }

    /**
     * Polls once, unless a poll is in flight.
     *
     * @return completes when the changes are applied, or could not be read
     */
    Future<Void> poll() {
        var connection = manager.connectionOrNull();
        if (connection == null || !polling.compareAndSet(false, true)) {
            return Future.succeededFuture();
        }
        Promise<Void> applied = Promise.promise();
        connection.execute(() -> {
            var since = position;
            int current = connections;
            long sentAt = cache.now();
            calls.call(script, List.of(since == null ? "" : since.entryId()), reply -> {
                polling.set(false); // at once: what is read after this reply may be followed by the next poll
                connection.reportRepairs(reply);
                if (current == connections) {
                    apply(reply, since, sentAt);
                }
                return null;
            }).onFailure(failure -> polling.set(false)).onComplete(done -> applied.complete());
        });
        return applied.future();
    }

    private void apply(Response reply, Position since, long sentAt) {
        counts = reply.get(3).stream().mapToLong(Response::toLong).toArray();
        if (since != position) {
            return; // a lookup has told a position while the poll was in flight: the next one reads on from there
        }
        var changes = reply.get(4);
        var end = new Position(reply.get(1).toString(), reply.get(2).toLong(), reply.get(0).toLong(), sentAt);
        time.update(end.serverMicros());
        boolean complete = since != null
                && end.revision() - since.revision() == changes.size() / FIELDS_PER_CHANGE;
        position = end;
        for (int i = 0; i < changes.size() / FIELDS_PER_CHANGE; i++) {
            int first = i * FIELDS_PER_CHANGE;
            evict(changes.get(first).toString(), changes.get(first + 1).toString(), changes.get(first + 2).toString(),
                    complete ? since.revision() + 1 + i : Long.MAX_VALUE);
        }
        if (complete) {
            cache.confirmation().renew(sentAt);
        } else {
            cache.restart(sentAt);
        }
    }

    private void evict(String kind, String name, String hashes, long revision) {
        for (var known : IdentityKind.values()) {
            if (known.label().equals(kind)) {
                cache.evict(known, name, hashes.isEmpty() ? List.of() : List.of(hashes.split(" ")), revision);
            }
        }
    }

    /** A lookup tells the position at which it has read: the first one after a restart is where the stream is read from. */
    void onPosition(Position read) {
        time.update(read.serverMicros());
        if (position == null) {
            position = read;
            cache.restart(read.sentAt());
        }
    }

    /** Returns the number of the connection, which changes when it is lost or replaced. */
    int connection() {
        return connections;
    }

    /** Returns whether Redis is connected. */
    boolean isUp() {
        return manager.isUp();
    }

    /** Returns whether the numbers of identities have been read since the start. */
    boolean isKnown() {
        return counts != null;
    }

    /** Returns whether identities of a kind are stored; false if that is not known. */
    boolean hasAny(IdentityKind kind) {
        var current = counts;
        return current != null && current[kind.ordinal()] > 0;
    }

    /** An identity of a kind was stored by this instance. */
    void noteStored(IdentityKind kind) {
        var current = counts;
        if (current != null && current[kind.ordinal()] == 0) {
            var updated = current.clone();
            updated[kind.ordinal()] = 1;
            counts = updated;
        }
    }

    /** Returns the time by Redis's clock, in milliseconds since 1970; by this instance's before the first reply. */
    long currentTimeMillis() {
        return TimeUnit.MICROSECONDS.toMillis(time.micros());
    }
}
