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

/** Brings into Redis what was granted without it. What does not arrive is kept, and brought again. */
public final class UsageMerger {

    private static final Logger LOG = Logger.getLogger(UsageMerger.class);
    /** So many identifiers are under way at a time. */
    private static final int TOGETHER = 200;
    private static final long BATCH_MILLIS = 5000;

    private final RedisConnectionManager link;
    private final InMemoryWindowStore memory;
    private final WindowKeys keys;
    private final LuaScript script;
    private final LongAdder merged = new LongAdder();

    /** @param time how the script asks for it */
    public UsageMerger(RedisConnectionManager link, InMemoryWindowStore memory, HashTags keys, String time) {
        this.link = link;
        this.memory = memory;
        this.keys = new WindowKeys(keys);
        this.script = LuaScript.load(UsageMerger.class, "merge.lua", time);
    }

    /** How many identifiers' windows were merged so far. */
    public long merged() {
        return merged.sum();
    }

    /** All that there is at the moment; fails where some of it did not arrive. */
    public Future<Void> merge(RedisScriptConnection channel) {
        return merge(channel, memory.owing(), 0);
    }

    private Future<Void> merge(RedisScriptConnection channel, List<String> owing, int from) {
        if (from >= owing.size()) {
            return Future.succeededFuture();
        }
        int to = Math.min(from + TOGETHER, owing.size());
        var batch = Future.join(owing.subList(from, to).stream().map(identifier -> merge(channel, identifier)).toList());
        return link.within(BATCH_MILLIS, batch)
                .compose(all -> merge(channel, owing, to));
    }

    private Future<Void> merge(RedisScriptConnection channel, String identifier) {
        var backlog = memory.drain(identifier);
        if (backlog == null || backlog.isEmpty()) {
            return Future.succeededFuture();
        }
        return send(channel, identifier, backlog).onSuccess(done -> merged.increment()).recover(failure -> {
            LOG.debug("What was granted without Redis could not be merged", failure);
            memory.takeBack(identifier, backlog, RedisScriptConnection.refused(failure));
            return RedisScriptConnection.concernsItsKeysOnly(failure) ? Future.succeededFuture() : Future.failedFuture(failure);
        });
    }

    private Future<Void> send(RedisScriptConnection channel, String identifier, UnsyncedUsage backlog) {
        var involved = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        involved.add(keys.index(identifier));
        arguments.add(Integer.toString(backlog.remembered().size() + backlog.windows().size()));
        backlog.remembered().forEach((key, window) -> describe(identifier, key, "seen", window, involved, arguments));
        backlog.windows().forEach((key, window) -> describe(identifier, key, window instanceof SlidingLog ? "log" : "ring",
                window, involved, arguments));
        backlog.reservations().forEach((reservation, parts) -> {
            var name = WindowKeys.reservationName(reservation);
            involved.add(keys.reservation(identifier, name));
            long longest = parts.stream().mapToLong(part -> part.window().span()).max().orElse(0);
            arguments.addAll(List.of(name, Long.toString(longest), Integer.toString(parts.size())));
            parts.forEach(part -> arguments.addAll(List.of(name(part.window()), part.bucket() + ":" + part.cost())));
        });
        return channel.eval(script, involved, arguments).onSuccess(channel::reportRepairs).mapEmpty();
    }

    private void describe(String identifier, WindowKey key, String form, SlidingWindow window, List<String> involved,
            List<String> arguments) {
        involved.add(keys.window(identifier, name(key)));
        var entries = new StringBuilder();
        window.describe(entries);
        arguments.addAll(List.of(name(key), Long.toString(key.span()), form, entries.toString()));
    }

    private static String name(WindowKey key) {
        return WindowKeys.name(key.resource(), key.span() / 1_000_000);
    }
}
