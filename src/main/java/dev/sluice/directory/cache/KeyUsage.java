package dev.sluice.directory.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.directory.DirectoryCalls;
import dev.sluice.redis.LuaScript;
import io.vertx.core.Future;

/**
 * Records the hour in which each key was last used: one write per key and hour, together with those of other keys. Thread-safe.
 */
final class KeyUsage {

    /** Short: a write is due once per key and hour only, and what is not written is lost when the instance dies. */
    static final long FLUSH_INTERVAL_MILLIS = TimeUnit.SECONDS.toMillis(1);

    /** Maximum number of keys of one call of the script. */
    private static final int MAX_BATCH = 1000;
    /** Maximum number of keys whose use is not written yet; that of others is not recorded. */
    private static final int MAX_PENDING = 100_000;

    private final DirectoryCalls calls;
    private final LongSupplier timeMillis;
    private final LuaScript script;
    private final Map<String, Long> pending = new ConcurrentHashMap<>();
    /** Hours that are written. */
    private final Cache<String, Long> written;

    /** @param timeMillis time in milliseconds since 1970 */
    KeyUsage(DirectoryCalls calls, int maxSize, LongSupplier timeMillis, String timeExpression) {
        this.calls = calls;
        this.timeMillis = timeMillis;
        this.script = LuaScript.load(KeyUsage.class, "used.lua", timeExpression);
        this.written = Caffeine.newBuilder().executor(Runnable::run).maximumSize(maxSize).build();
    }

    /** Notes that a key is used. Does not wait. */
    void record(String id) {
        long hour = TimeUnit.MILLISECONDS.toHours(timeMillis.getAsLong());
        var noted = pending.get(id);
        if (noted != null && noted == hour) {
            return;
        }
        var before = written.getIfPresent(id);
        if ((before == null || before < hour) && pending.size() < MAX_PENDING) {
            pending.put(id, hour);
        }
    }

    /** Writes what was noted; completes when it is written or has failed. What fails is written later. */
    Future<Void> flush() {
        var byHour = new ConcurrentHashMap<Long, List<String>>();
        pending.forEach((id, hour) -> byHour.computeIfAbsent(hour, first -> new ArrayList<>()).add(id));
        var flushes = new ArrayList<Future<Void>>();
        byHour.forEach((hour, ids) -> flushes.add(flush(hour, ids, 0)));
        return Future.join(flushes).<Void>mapEmpty().otherwiseEmpty();
    }

    private Future<Void> flush(long hour, List<String> ids, int from) {
        if (from >= ids.size()) {
            return Future.succeededFuture();
        }
        int to = Math.min(ids.size(), from + MAX_BATCH);
        var arguments = new ArrayList<String>(1 + to - from);
        arguments.add(Long.toString(hour));
        arguments.addAll(ids.subList(from, to));
        return calls.call(script, arguments, reply -> {
            for (var id : ids.subList(from, to)) {
                written.put(id, hour);
                pending.remove(id, hour);
            }
            return null;
        }).compose(done -> flush(hour, ids, to));
    }
}
