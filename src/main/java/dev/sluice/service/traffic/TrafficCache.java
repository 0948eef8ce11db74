package dev.sluice.service.traffic;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.vertx.core.Future;

/**
 * Reads minutes of a store, at most once a second, whatever the number of requests. Minutes that have ended are read once. For one
 * event loop.
 */
final class TrafficCache {

    /** Maximum number of minutes that one call reads, so that a call takes Redis little time. */
    static final int PAGE = 60;
    private static final long MAX_AGE_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

    private final TrafficStore store;
    private final boolean allInstances;
    private final LongSupplier nanoTime;
    /** Without gaps. */
    private TreeMap<Long, TrafficMinute> minutes = new TreeMap<>();
    private Map<RuleTier, Long> inFlight = Map.of();
    private long nowMillis;
    private long readAt;
    private Future<Void> reading = Future.succeededFuture();

    /**
     * @param allInstances whether the store has the counts of all instances
     * @param nanoTime returns the time in nanoseconds, from any origin
     */
    TrafficCache(TrafficStore store, boolean allInstances, LongSupplier nanoTime) {
        this.store = store;
        this.allInstances = allInstances;
        this.nanoTime = nanoTime;
    }

    /** Returns the last minutes, the current one included. */
    Future<TrafficHistory> last(int number) {
        var before = reading;
        reading = before.otherwiseEmpty().compose(done -> refresh(number));
        return reading.map(done -> {
            long current = minutes.lastKey();
            return new TrafficHistory(nowMillis, allInstances,
                    List.copyOf(new ArrayList<>(minutes.tailMap(current - number + 1).values())), inFlight);
        });
    }

    private Future<Void> refresh(int number) {
        boolean complete = minutes.size() >= number;
        if (complete && nanoTime.getAsLong() - readAt < MAX_AGE_NANOS) {
            return Future.succeededFuture();
        }
        // The last two minutes may have changed: instances report the end of a minute in the next one.
        long elapsed = TimeUnit.NANOSECONDS.toMinutes(nanoTime.getAsLong() - readAt) + 2;
        return complete && elapsed < minutes.size()
                ? read((int) elapsed, new TreeMap<>(minutes))
                : read(number - 1, new TreeMap<>());
    }

    /**
     * Reads minutes page by page. They replace the former ones when all are read: a page that cannot be read would leave a gap.
     *
     * @param ago number of minutes before the current one, at which the first page begins
     * @param pages receives the minutes
     */
    private Future<Void> read(int ago, TreeMap<Long, TrafficMinute> pages) {
        return store.read(ago, Math.min(PAGE, ago + 1)).compose(read -> {
            read.minutes().forEach(minute -> pages.put(minute.minute(), minute));
            long current = TimeUnit.MILLISECONDS.toMinutes(read.nowMillis());
            int missing = (int) Math.max(0, current - pages.lastKey());
            if (missing > 0) {
                return read(missing - 1, pages);
            }
            pages.headMap(pages.lastKey() - TrafficStore.KEPT_MINUTES, true).clear();
            minutes = pages;
            nowMillis = read.nowMillis();
            inFlight = read.inFlight();
            readAt = nanoTime.getAsLong();
            return Future.succeededFuture();
        });
    }
}
