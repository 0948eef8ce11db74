package dev.sluice.store.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.concurrency.HeldSlots;
import io.vertx.core.Future;

/**
 * Sends the counts of {@link HeldSlots} to Redis: those that have changed at once, together, and before later decisions; all others with a
 * heartbeat each second, without which they do not count for longer than {@value #VALIDITY_SECONDS} seconds. A count is absolute, so
 * that one that was lost is corrected by the next. {@code slots.lua} adds the grants whose replies are under way, so that it is exact
 * when it is executed.
 */
final class SlotSync {

    static final int VALIDITY_SECONDS = 3;
    static final long HEARTBEAT_MILLIS = 1000;
    /** Maximum number of counts per call: a long-running script delays decisions. */
    private static final int BATCH_SIZE = 128;
    /** Number of counts that are sent before the event loop handles what it has received. */
    private static final int SLICE_SIZE = 16 * BATCH_SIZE;
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** A number that no grant has. */
    private static final long ALL_GRANTS = 1L << 52;
    private static final Logger LOG = Logger.getLogger(SlotSync.class);

    private final RedisConnectionManager manager;
    private final HashTags hashTags;
    private final WindowKeys keys;
    private final HeldSlots held;
    private final String instance;
    private final BooleanSupplier sharded;
    private final LuaScript script;
    private volatile boolean stopped;
    private final AtomicBoolean scheduled = new AtomicBoolean();
    /** Counts whose heartbeat is due. Accessed on the connection's event loop, as is the time of the last call. */
    private final Deque<HeldSlots.Key> due = new ArrayDeque<>();
    private long lastSent = System.nanoTime() - INTERVAL_NANOS;

    /**
     * @param instance name of this instance in the counts
     * @param sharded returns whether the keys of a call must have one hash tag
     * @param timeExpression the Lua expression with which the script reads the time
     */
    SlotSync(RedisConnectionManager manager, HashTags hashTags, HeldSlots held, String instance, BooleanSupplier sharded,
            String timeExpression) {
        this.manager = manager;
        this.hashTags = hashTags;
        this.keys = new WindowKeys(hashTags);
        this.held = held;
        this.instance = instance;
        this.sharded = sharded;
        this.script = LuaScript.load(SlotSync.class, "slots.lua", timeExpression);
        manager.preload(script);
        held.onChange(this::schedule);
        held.setShared(manager.isUp());
        manager.onChange(failure -> {
            held.setShared(failure == null);
            if (failure == null) {
                heartbeat();
            }
        });
        manager.runEvery(HEARTBEAT_MILLIS, this::heartbeat);
    }

    private void schedule() {
        var connection = manager.connectionOrNull();
        if (connection != null && scheduled.compareAndSet(false, true)) {
            connection.executeSoon(() -> {
                long elapsed = System.nanoTime() - lastSent;
                if (elapsed < INTERVAL_NANOS) {
                    connection.executeIn(INTERVAL_NANOS - elapsed, () -> sendScheduled(connection));
                } else {
                    sendScheduled(connection);
                }
            });
        }
    }

    private void sendScheduled(RedisScriptConnection connection) {
        scheduled.set(false);
        sendChanges(connection);
    }

    /** Sends the counts that have changed. Must be called on the connection's event loop. */
    void sendChanges(RedisScriptConnection connection) {
        if (held.hasChanges() && !stopped && connection == manager.connectionOrNull()) {
            send(connection, changes());
        }
    }

    private List<HeldSlots.Key> changes() {
        var changed = new ArrayList<HeldSlots.Key>();
        for (var key = held.nextChange(); key != null; key = held.nextChange()) {
            changed.add(key);
        }
        return changed;
    }

    /** Sends all counts, a slice at a time. */
    private void heartbeat() {
        var connection = manager.connectionOrNull();
        if (connection == null || stopped) {
            return;
        }
        sendChanges(connection);
        boolean idle = due.isEmpty();
        due.clear(); // what is left of the last heartbeat is in this one
        due.addAll(held.held());
        if (idle) {
            sendSlice(connection);
        }
    }

    private void sendSlice(RedisScriptConnection connection) {
        var slice = new ArrayList<HeldSlots.Key>();
        while (slice.size() < SLICE_SIZE && !due.isEmpty()) {
            slice.add(due.poll());
        }
        send(connection, slice);
        if (!due.isEmpty()) {
            connection.executeSoon(() -> sendSlice(connection));
        }
    }

    /**
     * Sends the counts of all slots that are held, and of those that were released while Redis was unavailable, over a connection that is
     * not used for decisions yet.
     */
    Future<Void> sendAll(RedisScriptConnection connection) {
        var all = new LinkedHashSet<>(changes());
        all.addAll(held.held());
        return Future.join(send(connection, List.copyOf(all))).mapEmpty();
    }

    /** Removes what this instance holds from Redis: its requests have ended. */
    Future<Void> clear() {
        stopped = true;
        return manager.connection().compose(connection -> Future.join(send(connection, held.held(), key -> {
            held.count(key);
            return new HeldSlots.Count(0, ALL_GRANTS);
        })).mapEmpty());
    }

    private List<Future<?>> send(RedisScriptConnection connection, List<HeldSlots.Key> changed) {
        return send(connection, changed, held::count);
    }

    private List<Future<?>> send(RedisScriptConnection connection, List<HeldSlots.Key> changed,
            Function<HeldSlots.Key, HeldSlots.Count> counts) {
        lastSent = System.nanoTime();
        var calls = new ArrayList<Future<?>>();
        for (var ofTag : byTag(changed)) {
            for (int from = 0; from < ofTag.size(); from += BATCH_SIZE) {
                calls.add(sendBatch(connection, ofTag.subList(from, Math.min(from + BATCH_SIZE, ofTag.size())), counts));
            }
        }
        return calls;
    }

    /** On a cluster, the keys of a call must have one hash tag. */
    private Iterable<List<HeldSlots.Key>> byTag(List<HeldSlots.Key> changed) {
        if (!sharded.getAsBoolean()) {
            return List.of(changed);
        }
        Map<Integer, List<HeldSlots.Key>> byTag = new HashMap<>();
        changed.forEach(key -> byTag.computeIfAbsent(hashTags.tag(key.identifier()), tag -> new ArrayList<>()).add(key));
        return byTag.values();
    }

    private Future<?> sendBatch(RedisScriptConnection connection, List<HeldSlots.Key> batch,
            Function<HeldSlots.Key, HeldSlots.Count> counts) {
        var names = new ArrayList<String>(batch.size());
        var arguments = new ArrayList<String>(1 + 2 * batch.size());
        arguments.add(instance);
        for (var key : batch) {
            names.add(keys.slots(key.identifier(), key.resource()));
            var count = counts.apply(key);
            arguments.add(Long.toString(count.units()));
            arguments.add(Long.toString(count.granted()));
        }
        return connection.eval(script, names, arguments).onComplete(done -> {
            if (done.failed()) {
                LOG.debug("Slots of requests in flight could not be counted in Redis", done.cause());
                batch.forEach(held::onNotCounted);
                return;
            }
            connection.reportRepairs(done.result());
            var granted = done.result().get(1);
            for (int i = 0; i < batch.size(); i++) {
                held.onCounted(batch.get(i), granted.get(i).toLong());
            }
        });
    }
}
