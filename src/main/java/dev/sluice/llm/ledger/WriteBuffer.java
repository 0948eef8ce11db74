package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Buffer of entries. One batch is in flight at a time, under a number that Redis remembers: a retried
 * batch has the same number and is booked once. Thread-safe.
 */
final class WriteBuffer {

    /** Key by which entries are summed. */
    record EntryKey(String identifier, long hour, CallOwner owner, String provider, String model) {
    }

    /**
     * Buffered entry.
     *
     * @param requestKey idempotency key of a single entry; null for sums
     * @param result completes with whether the entry is new; null for sums
     */
    record Entry(EntryKey key, LedgerSum sum, String requestKey, Promise<Boolean> result) {

        UsageTotals totals() {
            return sum.totals();
        }
    }

    /** Entries sent in one script call. */
    record Batch(long number, List<Entry> entries) {
    }

    /** More would block Redis for other clients for too long. */
    private static final int MAX_BATCH_SIZE = 500;

    private final Map<EntryKey, LedgerSum> sums = new LinkedHashMap<>();
    private final Map<String, Entry> uniqueEntries = new LinkedHashMap<>();
    private Batch batch;
    private long batchNumber;
    private Promise<Void> inFlight;

    /**
     * Adds to a sum.
     *
     * @param added becomes part of the buffer
     * @return the number of entries added; -1 if there is no room for a new one
     */
    synchronized int add(EntryKey key, LedgerSum added, boolean hasRoom) {
        var sum = sums.get(key);
        if (sum != null) {
            sum.add(added);
            return 0;
        }
        if (!hasRoom) {
            return -1;
        }
        sums.put(key, added);
        return 1;
    }

    /**
     * Adds an entry with an idempotency key.
     *
     * @return the entry's result; null if it is buffered already
     */
    synchronized Promise<Boolean> addOnce(EntryKey key, LedgerSum sum, String requestKey) {
        if (uniqueEntries.containsKey(requestKey)) {
            return null;
        }
        Promise<Boolean> result = Promise.promise();
        uniqueEntries.put(requestKey, new Entry(key, sum, requestKey, result));
        return result;
    }

    /**
     * Adds an entry of another buffer's batch.
     *
     * @return the number of entries added
     */
    int put(Entry entry) {
        if (entry.requestKey() == null) {
            return add(entry.key(), entry.sum(), true);
        }
        Entry repeated;
        synchronized (this) {
            repeated = uniqueEntries.put(entry.requestKey(), entry);
        }
        if (repeated == null) {
            return 1;
        }
        repeated.result().tryComplete(false);
        return 0;
    }

    /** Returns the batch to send now; null if there is none, or one is in flight. */
    synchronized Batch startBatch() {
        if (inFlight != null) {
            return null;
        }
        if (batch == null && sums.size() + uniqueEntries.size() > 0) {
            var items = new ArrayList<Entry>();
            move(sums.entrySet().iterator(), sum -> new Entry(sum.getKey(), sum.getValue(), null, null), items);
            move(uniqueEntries.values().iterator(), single -> single, items);
            batch = new Batch(++batchNumber, items);
        }
        inFlight = batch == null ? null : Promise.promise();
        return batch;
    }

    private static <T> void move(Iterator<T> from, Function<T, Entry> as, List<Entry> to) {
        while (from.hasNext() && to.size() < MAX_BATCH_SIZE) {
            to.add(as.apply(from.next()));
            from.remove();
        }
    }

    /**
     * Ends the batch in flight; one that was not written is sent again.
     *
     * @return the number of entries removed
     */
    int endBatch(boolean written) {
        Promise<Void> done;
        int removed;
        synchronized (this) {
            removed = written ? batch.entries().size() : 0;
            batch = written ? null : batch;
            done = inFlight;
            inFlight = null;
        }
        done.complete();
        return removed;
    }

    /** Completes when the batch in flight, if any, has been written or failed. */
    synchronized Future<Void> inFlight() {
        return inFlight == null ? Future.succeededFuture() : inFlight.future();
    }

    /** Returns the number of batches in which the entries will be sent. */
    synchronized int batches() {
        return (batch == null ? 0 : 1) + (sums.size() + uniqueEntries.size() + MAX_BATCH_SIZE - 1) / MAX_BATCH_SIZE;
    }

    synchronized boolean isEmpty() {
        return batch == null && sums.isEmpty() && uniqueEntries.isEmpty();
    }

    /** Adds an identifier's buffered entries to a report. */
    synchronized void addTo(String identifier, long fromHour, long toHour, UsageReport report) {
        sums.forEach((key, sum) -> addTo(key, sum.totals(), identifier, fromHour, toHour, report));
        uniqueEntries.values().forEach(item -> addTo(item.key(), item.totals(), identifier, fromHour, toHour, report));
        if (batch != null) {
            batch.entries().forEach(item -> addTo(item.key(), item.totals(), identifier, fromHour, toHour, report));
        }
    }

    private static void addTo(EntryKey key, UsageTotals totals, String identifier, long fromHour, long toHour,
            UsageReport report) {
        if (key.identifier().equals(identifier) && key.hour() >= fromHour && key.hour() <= toHour) {
            report.add(key.provider(), key.model(), totals);
        }
    }
}
