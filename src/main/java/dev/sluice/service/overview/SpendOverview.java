package dev.sluice.service.overview;

import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.SpendRange;
import dev.sluice.llm.spend.SpendDimension;
import dev.sluice.llm.spend.SpendQuery;
import dev.sluice.llm.spend.SpendReports;
import io.smallrye.mutiny.Uni;

/** Spend of today and of this month, read at most every ten seconds for each team, whatever the number of requests. Thread-safe. */
@ApplicationScoped
class SpendOverview {

    private static final Duration MAX_AGE = Duration.ofSeconds(10);
    private static final int MAX_TEAMS = 100;
    private static final int HOURS_OF_DAY = 24;
    /** Key of the spend of all teams, which is no name of a team. */
    private static final String ALL = "";

    private final SpendReports reports;
    private final Ledger ledger;
    private final LoadingCache<String, Uni<OverviewResponse.Spend>> cache;

    SpendOverview(SpendReports reports, Ledger ledger) {
        this.reports = reports;
        this.ledger = ledger;
        this.cache = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_TEAMS).expireAfterWrite(MAX_AGE)
                .build(team -> read(team).onFailure().invoke(() -> forget(team)).memoize().indefinitely());
    }

    /** A failure is not kept. */
    private void forget(String team) {
        cache.invalidate(team);
    }

    /**
     * Returns the spend.
     *
     * @param team team whose calls alone are included; null for all
     */
    Uni<OverviewResponse.Spend> of(String team) {
        return cache.get(team == null ? ALL : team);
    }

    private Uni<OverviewResponse.Spend> read(String team) {
        return Uni.createFrom().deferred(() -> {
            long today = Math.floorDiv(ledger.currentHour(), HOURS_OF_DAY);
            long month = LocalDate.ofEpochDay(today).withDayOfMonth(1).toEpochDay();
            return period(today, today, team).flatMap(
                    day -> period(month, today, team).map(whole -> new OverviewResponse.Spend(day, whole)));
        });
    }

    private Uni<OverviewResponse.Period> period(long firstDay, long lastDay, String team) {
        var range = new SpendRange(firstDay * HOURS_OF_DAY, (lastDay + 1) * HOURS_OF_DAY, false);
        var filters = team.equals(ALL) ? Map.<SpendDimension, String>of() : Map.of(SpendDimension.TEAM, team);
        return reports.find(new SpendQuery(range, List.of(), filters, 1, null))
                .map(report -> OverviewResponse.Period.of(report.total()));
    }
}
