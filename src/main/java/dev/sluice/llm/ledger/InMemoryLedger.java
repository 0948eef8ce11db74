package dev.sluice.llm.ledger;

import java.time.Duration;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import io.smallrye.mutiny.Uni;

/** The ledger where there is no Redis: in this instance's memory, for as long as it runs. */
final class InMemoryLedger implements LedgerStore {

    private static final Duration KEPT = Duration.ofHours(Ledger.MAX_HOURS + 1);

    private record Line(String identifier, long hour, String provider, String model) {
    }

    private record Request(String identifier, String provider, String id) {
    }

    private final Cache<Line, UsageTotals> lines;
    private final Cache<Request, Boolean> requests;

    InMemoryLedger(int size) {
        lines = Caffeine.newBuilder().maximumSize(size).expireAfterWrite(KEPT).build();
        requests = Caffeine.newBuilder().maximumSize(size).expireAfterWrite(KEPT).build();
    }

    @Override
    public Uni<Boolean> book(Ledger.Entry entry, long hour) {
        boolean fresh = entry.requestId() == null || requests.asMap()
                .putIfAbsent(new Request(entry.identifier(), entry.provider(), entry.requestId()), true) == null;
        if (fresh) {
            lines.asMap().merge(new Line(entry.identifier(), hour, entry.provider(), entry.model()), UsageTotals.of(entry),
                    UsageTotals::plus);
        }
        return Uni.createFrom().item(fresh);
    }

    @Override
    public Uni<Void> written(String identifier) {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> close() {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<UsageReport> read(String identifier, long fromHour, long toHour) {
        var account = new UsageReport();
        lines.asMap().forEach((line, tally) -> {
            if (line.identifier().equals(identifier) && line.hour() >= fromHour && line.hour() <= toHour) {
                account.add(line.provider(), line.model(), tally);
            }
        });
        return Uni.createFrom().item(account);
    }
}
