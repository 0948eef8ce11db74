package dev.sluice.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

import org.jboss.logging.Logger;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.WindowKey;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.memory.SlidingLog;
import dev.sluice.store.memory.SlidingWindow;
import dev.sluice.store.memory.UnsyncedUsage;
import io.vertx.core.Future;

/** Merges usage that was granted without Redis into Redis. Usage whose merge fails is kept and merged again. */
public final class UsageMerger {

    private static final Logger LOG = Logger.getLogger(UsageMerger.class);
    /** Number of identifiers merged concurrently. */
    private static final int BATCH_SIZE = 200;
    private static final long BATCH_TIMEOUT_MILLIS = 5000;

    private final RedisConnectionManager manager;
    private final InMemoryWindowStore memory;
    private final WindowKeys keys;
    private final LuaScript script;
    private final LongAdder mergedCount = new LongAdder();

    /** @param timeExpression the Lua expression with which the script reads the time */
    public UsageMerger(RedisConnectionManager manager, InMemoryWindowStore memory, HashTags hashTags, String timeExpression) {
        this.manager = manager;
        this.memory = memory;
        this.keys = new WindowKeys(hashTags);
        this.script = LuaScript.load(UsageMerger.class, "merge.lua", timeExpression);
    }

    /** Returns the number of identifiers merged so far. */
    public long mergedCount() {
        return mergedCount.sum();
    }

    /** Merges all unsynced usage; fails if a part of it could not be merged. */
    public Future<Void> merge(RedisScriptConnection connection) {
        return merge(connection, memory.unsyncedIdentifiers(), 0);
    }

    private Future<Void> merge(RedisScriptConnection connection, List<String> identifiers, int from) {
        if (from >= identifiers.size()) {
            return Future.succeededFuture();
        }
        int to = Math.min(from + BATCH_SIZE, identifiers.size());
        var batch = Future
                .join(identifiers.subList(from, to).stream().map(identifier -> merge(connection, identifier)).toList());
        return manager.within(BATCH_TIMEOUT_MILLIS, batch)
                .compose(all -> merge(connection, identifiers, to));
    }

    private Future<Void> merge(RedisScriptConnection connection, String identifier) {
        var usage = memory.drainUnsynced(identifier);
        if (usage == null || usage.isEmpty()) {
            return Future.succeededFuture();
        }
        return send(connection, identifier, usage).onSuccess(done -> mergedCount.increment()).recover(failure -> {
            LOG.debug("Local usage could not be merged into Redis", failure);
            memory.restoreUnsynced(identifier, usage, RedisScriptConnection.isRejection(failure));
            return RedisScriptConnection.isKeySpecific(failure) ? Future.succeededFuture() : Future.failedFuture(failure);
        });
    }

    private Future<Void> send(RedisScriptConnection connection, String identifier, UnsyncedUsage usage) {
        var keyNames = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        keyNames.add(keys.index(identifier));
        arguments.add(Integer.toString(usage.previouslyCounted().size() + usage.windows().size()));
        usage.previouslyCounted().forEach((key, window) -> append(identifier, key, "seen", window, keyNames, arguments));
        usage.windows().forEach((key, window) -> append(identifier, key, window instanceof SlidingLog ? "log" : "ring",
                window, keyNames, arguments));
        usage.reservations().forEach((reservation, parts) -> {
            var name = WindowKeys.reservationMember(reservation);
            keyNames.add(keys.reservation(identifier, name));
            long longest = parts.stream().mapToLong(part -> part.window().span()).max().orElse(0);
            arguments.addAll(List.of(name, Long.toString(longest), Integer.toString(parts.size())));
            parts.forEach(part -> arguments
                    .addAll(List.of(WindowKeys.windowMember(part.window()), part.bucket() + ":" + part.cost())));
        });
        return connection.eval(script, keyNames, arguments).onSuccess(connection::reportRepairs).mapEmpty();
    }

    private void append(String identifier, WindowKey key, String form, SlidingWindow window, List<String> keyNames,
            List<String> arguments) {
        keyNames.add(keys.window(identifier, WindowKeys.windowMember(key)));
        var entries = new StringBuilder();
        window.appendTo(entries);
        arguments.addAll(List.of(WindowKeys.windowMember(key), key.length(), form, entries.toString()));
    }
}
