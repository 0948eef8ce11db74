package dev.sluice.llm.spend;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.llm.ledger.Ledger;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;

/** Answers queries of spend from the ledger. Thread-safe and non-blocking. */
@ApplicationScoped
public class SpendReports {

    /** Maximum number of groups of a query. */
    static final int MAX_GROUPS = 100_000;

    private final Ledger ledger;

    SpendReports(Ledger ledger) {
        this.ledger = ledger;
    }

    /**
     * Answers a query.
     *
     * @param query the query
     * @return the report, on a worker thread; fails with {@link dev.sluice.api.StoreUnavailableException} if Redis is unavailable, and
     *         with {@link SpendTooLargeException} if there are too many groups
     */
    public Uni<SpendReport> find(SpendQuery query) {
        return Uni.createFrom().deferred(() -> {
            var sums = new SpendSums(query, MAX_GROUPS);
            return ledger.readSpend(query.range(), sums::add).emitOn(Infrastructure.getDefaultWorkerPool())
                    .map(read -> sums.report());
        });
    }
}
