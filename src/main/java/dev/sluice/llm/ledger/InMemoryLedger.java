package dev.sluice.llm.ledger;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import io.smallrye.mutiny.Uni;

/** Ledger without Redis: in this instance's memory, lost when it stops. Has the same bounds per identifier as the one in Redis. */
final class InMemoryLedger implements LedgerStore {

    private static final Duration RETENTION = Duration.ofHours(RETENTION_HOURS);

    private record HourKey(String identifier, long hour) {
    }

    private record ModelKey(String provider, String model) {
    }

    private record OwnerKey(CallOwner owner, ModelKey model) {
    }

    private record RequestKey(String provider, String id) {
    }

    /** Sums of one identifier and hour. Thread-safe. */
    private static final class HourSums {

        private final Map<ModelKey, LedgerSum> sums = new HashMap<>();
        private final Map<OwnerKey, UsageTotals> totals = new HashMap<>();
        private final Set<CallOwner> owners = new HashSet<>();

        synchronized HourSums add(LedgerEntry entry) {
            var key = new ModelKey(entry.provider(), entry.model());
            if (!sums.containsKey(key) && sums.size() >= MAX_MODELS) {
                key = new ModelKey(entry.provider(), OTHER_MODELS);
            }
            var sum = LedgerSum.of(entry);
            sums.computeIfAbsent(key, name -> new LedgerSum()).add(sum);
            var owner = owners.contains(entry.owner()) || owners.size() < MAX_OWNERS
                    ? entry.owner()
                    : CallOwner.of(entry.identifier());
            owners.add(owner);
            totals.merge(new OwnerKey(owner, key), sum.totals(), UsageTotals::plus);
            return this;
        }

        synchronized void addTo(long hour, Consumer<SpendRow> rows) {
            totals.forEach((key, sum) -> rows
                    .accept(new SpendRow(hour, key.owner(), key.model().provider(), key.model().model(), sum)));
        }

        synchronized void addTo(UsageReport report) {
            sums.forEach((key, sum) -> report.add(key.provider(), key.model(), sum.totals()));
        }

        synchronized void addTo(OutputHistogram outputs, ModelKey key) {
            var sum = sums.get(key);
            if (sum != null) {
                outputs.add(sum.outputs());
            }
        }

        synchronized int size() {
            return totals.size();
        }
    }

    /** The latest request ids of one identifier. Thread-safe. */
    private static final class RequestIds {

        private final Map<RequestKey, Boolean> latest = new LinkedHashMap<>() {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<RequestKey, Boolean> eldest) {
                return size() > MAX_REQUEST_IDS;
            }
        };

        synchronized boolean add(RequestKey key) {
            return latest.putIfAbsent(key, true) == null;
        }

        synchronized int size() {
            return latest.size();
        }
    }

    private final Cache<HourKey, HourSums> hours;
    private final Cache<String, RequestIds> requests;

    /** @param size maximum number of sums, and of request ids, of all identifiers together */
    InMemoryLedger(int size) {
        hours = Caffeine.newBuilder().maximumWeight(size).weigher((HourKey key, HourSums sums) -> sums.size())
                .expireAfterWrite(RETENTION).build();
        requests = Caffeine.newBuilder().maximumWeight(size).weigher((String identifier, RequestIds ids) -> ids.size())
                .expireAfterWrite(RETENTION).build();
    }

    @Override
    public void add(LedgerEntry entry, long hour) {
        hours.asMap().compute(new HourKey(entry.identifier(), hour),
                (key, sums) -> (sums == null ? new HourSums() : sums).add(entry));
    }

    @Override
    public Uni<Boolean> book(LedgerEntry entry, long hour, Consumer<Boolean> later) {
        boolean isNew = entry.requestId() == null || isNewRequest(entry);
        if (isNew) {
            add(entry, hour);
        }
        return Uni.createFrom().item(isNew);
    }

    private boolean isNewRequest(LedgerEntry entry) {
        var isNew = new boolean[1];
        requests.asMap().compute(entry.identifier(), (identifier, known) -> {
            var ids = known == null ? new RequestIds() : known;
            isNew[0] = ids.add(new RequestKey(entry.provider(), entry.requestId()));
            return ids;
        });
        return isNew[0];
    }

    @Override
    public Uni<Void> awaitWritten(String identifier) {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> close() {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<UsageReport> read(String identifier, long fromHour, long toHour) {
        var report = new UsageReport(identifier, (int) (toHour - fromHour));
        for (long hour = fromHour; hour <= toHour; hour++) {
            var sums = hours.getIfPresent(new HourKey(identifier, hour));
            if (sums != null) {
                sums.addTo(report);
            }
        }
        return Uni.createFrom().item(report);
    }

    @Override
    public Uni<Void> readSpend(SpendRange range, Consumer<SpendRow> rows) {
        hours.asMap().forEach((key, sums) -> {
            if (key.hour() >= range.fromHour() && key.hour() < range.toHour()) {
                sums.addTo(range.byHour() ? key.hour() : LedgerHash.dayOf(key.hour()) * LedgerHash.HOURS_OF_DAY, rows);
            }
        });
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> computeDays(long day) {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<OutputHistogram> readOutputs(String identifier, String provider, String model, long fromHour, long toHour) {
        var outputs = new OutputHistogram();
        for (long hour = fromHour; hour <= toHour; hour++) {
            var sums = hours.getIfPresent(new HourKey(identifier, hour));
            if (sums != null) {
                sums.addTo(outputs, new ModelKey(provider, model));
            }
        }
        return Uni.createFrom().item(outputs);
    }
}
