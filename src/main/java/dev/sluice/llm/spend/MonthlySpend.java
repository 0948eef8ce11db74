package dev.sluice.llm.spend;

import java.time.Duration;
import java.time.LocalDate;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.SpendRange;
import dev.sluice.llm.ledger.UsageTotals;
import io.smallrye.mutiny.Uni;

/**
 * Spend of the current calendar month (UTC) of users, teams, organisations and keys. All are read at once and kept for
 * {@value #MAX_AGE_SECONDS} seconds, so that many questions cost one read of the ledger. Thread-safe and non-blocking.
 */
@ApplicationScoped
public class MonthlySpend {

    /** Maximum age of an answer. */
    static final int MAX_AGE_SECONDS = 30;

    private static final long MAX_AGE_NANOS = Duration.ofSeconds(MAX_AGE_SECONDS).toNanos();
    private static final List<SpendDimension> OWNERS = List.of(SpendDimension.USER, SpendDimension.TEAM, SpendDimension.ORG,
            SpendDimension.KEY);

    /** Sums by dimension and name. */
    private record Month(long firstDay, long readAt, Uni<Map<SpendDimension, Map<String, UsageTotals>>> sums) {
    }

    private final Ledger ledger;
    private final LongSupplier nanoTime;
    private final AtomicReference<@Nullable Month> current = new AtomicReference<>();

    @Inject
    MonthlySpend(Ledger ledger) {
        this(ledger, System::nanoTime);
    }

    MonthlySpend(Ledger ledger, LongSupplier nanoTime) {
        this.ledger = ledger;
        this.nanoTime = nanoTime;
    }

    /**
     * Returns the usage of the current month.
     *
     * @param dimension user, team, organisation or key
     * @param name name of the user, team or organisation, or id of the key
     * @return the usage, without its parts, at most {@value #MAX_AGE_SECONDS} seconds old; fails with
     *         {@link dev.sluice.api.StoreUnavailableException} if Redis is unavailable
     */
    public Uni<UsageTotals> of(SpendDimension dimension, String name) {
        if (!OWNERS.contains(dimension)) {
            throw new IllegalArgumentException("dimension must be one of " + OWNERS + " (was: " + dimension + ")");
        }
        return month().sums().map(sums -> sums.get(dimension).getOrDefault(name, UsageTotals.NONE));
    }

    private Month month() {
        long day = Math.floorDiv(ledger.currentHour(), 24L);
        long firstDay = LocalDate.ofEpochDay(day).withDayOfMonth(1).toEpochDay();
        long now = nanoTime.getAsLong();
        var month = current.get();
        if (month != null && month.firstDay() == firstDay && now - month.readAt() < MAX_AGE_NANOS) {
            return month;
        }
        var read = new Month(firstDay, now, read(new SpendRange(firstDay * 24, (day + 1) * 24, false)));
        return current.compareAndSet(month, read) ? read : month();
    }

    private Uni<Map<SpendDimension, Map<String, UsageTotals>>> read(SpendRange range) {
        return Uni.createFrom().deferred(() -> {
            Map<SpendDimension, Map<String, UsageTotals>> sums = new EnumMap<>(SpendDimension.class);
            OWNERS.forEach(dimension -> sums.put(dimension, new HashMap<>()));
            return ledger.readSpend(range, row -> OWNERS.forEach(dimension -> {
                var name = dimension.of(row);
                if (name != null) {
                    sums.get(dimension).merge(name, row.totals(), UsageTotals::plus);
                }
            })).map(done -> sums);
        }).onFailure().invoke(() -> current.set(null)).memoize().indefinitely();
    }
}
