package dev.sluice.window;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

import org.jboss.logging.Logger;

import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import io.vertx.core.Future;

/** Brings into Redis what was granted without it. What does not arrive is kept, and brought again. */
final class Merger {

    private static final Logger LOG = Logger.getLogger(Merger.class);
    /** So many identifiers are under way at a time. */
    private static final int TOGETHER = 200;
    private static final long BATCH_MILLIS = 5000;

    private final RedisLink link;
    private final MemoryStore memory;
    private final RedisKeys keys;
    private final RedisScript script;
    private final LongAdder merged = new LongAdder();

    /** @param time how the script asks for it */
    Merger(RedisLink link, MemoryStore memory, KeySpace keys, String time) {
        this.link = link;
        this.memory = memory;
        this.keys = new RedisKeys(keys);
        this.script = RedisScript.load(Merger.class, "merge.lua", time);
    }

    /** How many identifiers' windows were merged so far. */
    long merged() {
        return merged.sum();
    }

    /** All that there is at the moment; fails where some of it did not arrive. */
    Future<Void> merge(RedisChannel channel) {
        return merge(channel, memory.owing(), 0);
    }

    private Future<Void> merge(RedisChannel channel, List<String> owing, int from) {
        if (from >= owing.size()) {
            return Future.succeededFuture();
        }
        int to = Math.min(from + TOGETHER, owing.size());
        var batch = Future.join(owing.subList(from, to).stream().map(identifier -> merge(channel, identifier)).toList());
        return link.within(BATCH_MILLIS, batch)
                .compose(all -> merge(channel, owing, to));
    }

    private Future<Void> merge(RedisChannel channel, String identifier) {
        var backlog = memory.drain(identifier);
        if (backlog == null || backlog.isEmpty()) {
            return Future.succeededFuture();
        }
        return send(channel, identifier, backlog).onSuccess(done -> merged.increment()).recover(failure -> {
            LOG.debug("What was granted without Redis could not be merged", failure);
            memory.takeBack(identifier, backlog, RedisChannel.refused(failure));
            return RedisChannel.concernsItsKeysOnly(failure) ? Future.succeededFuture() : Future.failedFuture(failure);
        });
    }

    private Future<Void> send(RedisChannel channel, String identifier, Backlog backlog) {
        var involved = new ArrayList<String>();
        var arguments = new ArrayList<String>();
        involved.add(keys.index(identifier));
        arguments.add(Integer.toString(backlog.remembered().size() + backlog.windows().size()));
        backlog.remembered().forEach((key, window) -> describe(identifier, key, "seen", window, involved, arguments));
        backlog.windows().forEach((key, window) -> describe(identifier, key, window instanceof LogWindow ? "log" : "ring",
                window, involved, arguments));
        backlog.reservations().forEach((reservation, parts) -> {
            var name = RedisKeys.reservationName(reservation);
            involved.add(keys.reservation(identifier, name));
            long longest = parts.stream().mapToLong(part -> part.window().span()).max().orElse(0);
            arguments.addAll(List.of(name, Long.toString(longest), Integer.toString(parts.size())));
            parts.forEach(part -> arguments.addAll(List.of(name(part.window()), part.bucket() + ":" + part.cost())));
        });
        return channel.eval(script, involved, arguments).onSuccess(channel::reportRepairs).mapEmpty();
    }

    private void describe(String identifier, WindowKey key, String form, Window window, List<String> involved,
            List<String> arguments) {
        involved.add(keys.window(identifier, name(key)));
        var entries = new StringBuilder();
        window.describe(entries);
        arguments.addAll(List.of(name(key), Long.toString(key.span()), form, entries.toString()));
    }

    private static String name(WindowKey key) {
        return RedisKeys.name(key.resource(), key.span() / 1_000_000);
    }
}
