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
 * What waits to be written for the identifiers of one hash tag. One batch is on its way at a time, under a number that Redis
 * remembers: sent again, it is the same batch, and is booked once.
 */
final class WriteBuffer {

    record Line(String identifier, long hour, String provider, String model) {
    }

    /** @param request by which it is known that it was booked; null for sums */
    record Item(Line line, UsageTotals tally, String request, Promise<Boolean> written) {
    }

    record Batch(long number, List<Item> items) {
    }

    /** More would hold Redis up for others. */
    private static final int MOST_AT_ONCE = 500;

    private final Map<Line, UsageTotals> sums = new LinkedHashMap<>();
    private final Map<String, Item> singles = new LinkedHashMap<>();
    private Batch batch;
    private long number;
    private Promise<Void> underWay;

    /** How many more entries there are than before. */
    synchronized int add(Line line, UsageTotals tally, boolean room) {
        if (!room && !sums.containsKey(line)) {
            return -1;
        }
        int before = sums.size();
        sums.merge(line, tally, UsageTotals::plus);
        return sums.size() - before;
    }

    /** Null where it waits already, or has no room. */
    synchronized Promise<Boolean> addOnce(Line line, UsageTotals tally, String request) {
        if (singles.containsKey(request)) {
            return null;
        }
        Promise<Boolean> written = Promise.promise();
        singles.put(request, new Item(line, tally, request, written));
        return written;
    }

    /** The batch to send now; null where there is none, or one is on its way. */
    synchronized Batch begin() {
        if (underWay != null) {
            return null;
        }
        if (batch == null && sums.size() + singles.size() > 0) {
            var items = new ArrayList<Item>();
            move(sums.entrySet().iterator(), sum -> new Item(sum.getKey(), sum.getValue(), null, null), items);
            move(singles.values().iterator(), single -> single, items);
            batch = new Batch(++number, items);
        }
        underWay = batch == null ? null : Promise.promise();
        return batch;
    }

    private static <T> void move(Iterator<T> from, Function<T, Item> as, List<Item> to) {
        while (from.hasNext() && to.size() < MOST_AT_ONCE) {
            to.add(as.apply(from.next()));
            from.remove();
        }
    }

    /** How many entries are gone. */
    int end(boolean written) {
        Promise<Void> done;
        int gone;
        synchronized (this) {
            gone = written ? batch.items().size() : 0;
            batch = written ? null : batch;
            done = underWay;
            underWay = null;
        }
        done.complete();
        return gone;
    }

    /** Completes when the batch on its way, if any, has arrived or failed. */
    synchronized Future<Void> underWay() {
        return underWay == null ? Future.succeededFuture() : underWay.future();
    }

    synchronized boolean empty() {
        return batch == null && sums.isEmpty() && singles.isEmpty();
    }

    /** What waits for an identifier. */
    synchronized void read(String identifier, long fromHour, long toHour, UsageReport account) {
        sums.forEach((line, tally) -> read(line, tally, identifier, fromHour, toHour, account));
        singles.values().forEach(item -> read(item.line(), item.tally(), identifier, fromHour, toHour, account));
        if (batch != null) {
            batch.items().forEach(item -> read(item.line(), item.tally(), identifier, fromHour, toHour, account));
        }
    }

    private static void read(Line line, UsageTotals tally, String identifier, long fromHour, long toHour, UsageReport account) {
        if (line.identifier().equals(identifier) && line.hour() >= fromHour && line.hour() <= toHour) {
            account.add(line.provider(), line.model(), tally);
        }
    }
}
