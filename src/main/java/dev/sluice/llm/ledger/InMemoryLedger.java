package dev.sluice.llm.ledger;

import java.time.Duration;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import io.smallrye.mutiny.Uni;

/** Ledger without Redis: in this instance's memory, lost when it stops. */
final class InMemoryLedger implements LedgerStore {

    private static final Duration RETENTION = Duration.ofHours(RETENTION_HOURS);

    private record EntryKey(String identifier, long hour, String provider, String model) {
    }

    private record RequestKey(String identifier, String provider, String id) {
    }

    private final Cache<EntryKey, UsageTotals> totals;
    private final Cache<RequestKey, Boolean> requests;

    InMemoryLedger(int size) {
        totals = Caffeine.newBuilder().maximumSize(size).expireAfterWrite(RETENTION).build();
        requests = Caffeine.newBuilder().maximumSize(size).expireAfterWrite(RETENTION).build();
    }

    @Override
    public Uni<Boolean> book(LedgerEntry entry, long hour) {
        boolean isNew = entry.requestId() == null || requests.asMap()
                .putIfAbsent(new RequestKey(entry.identifier(), entry.provider(), entry.requestId()), true) == null;
        if (isNew) {
            totals.asMap().merge(new EntryKey(entry.identifier(), hour, entry.provider(), entry.model()), UsageTotals.of(entry),
                    UsageTotals::plus);
        }
        return Uni.createFrom().item(isNew);
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
        var report = new UsageReport();
        totals.asMap().forEach((key, totals) -> {
            if (key.identifier().equals(identifier) && key.hour() >= fromHour && key.hour() <= toHour) {
                report.add(key.provider(), key.model(), totals);
            }
        });
        return Uni.createFrom().item(report);
    }
}
