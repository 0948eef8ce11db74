package dev.sluice.llm.spend;

import java.time.Duration;
import java.time.LocalDate;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.SpendRange;
import dev.sluice.llm.ledger.SpendRow;
import dev.sluice.llm.ledger.UsageTotals;
import io.smallrye.mutiny.Uni;

/**
 * Spend of the current calendar month (UTC) of users, teams, organisations and keys. All are read at once and kept for a second, or
 * for {@value #PAUSE_FACTOR} times as long as the read took, up to {@value #MAX_AGE_SECONDS} seconds, so that many questions cost one
 * read of the ledger, and a large ledger is read rarely. Thread-safe and non-blocking.
 */
@ApplicationScoped
public class MonthlySpend {

    /** Maximum time for which an answer is kept. */
    static final int MAX_AGE_SECONDS = 30;

    private static final long MAX_AGE_NANOS = Duration.ofSeconds(MAX_AGE_SECONDS).toNanos();
    private static final long MIN_AGE_NANOS = Duration.ofSeconds(1).toNanos();
    /** Share of the time in which nothing is read, as a multiple of the time in which something is. */
    private static final int PAUSE_FACTOR = 20;
    private static final List<SpendDimension> OWNERS = List.of(SpendDimension.USER, SpendDimension.TEAM, SpendDimension.ORG,
            SpendDimension.KEY);

    /**
     * Sums by dimension and name.
     *
     * @param readAt time at which the read began
     * @param validNanos time for which they are valid from then on
     */
    private record Month(long firstDay, long readAt, AtomicLong validNanos,
            Uni<Map<SpendDimension, Map<String, UsageTotals>>> sums) {
    }

    /** Reads the rows of a range from the ledger. */
    @FunctionalInterface
    interface RowReader {

        /** @param rows receives the rows one after the other; must not block */
        Uni<Void> read(SpendRange range, Consumer<SpendRow> rows);
    }

    private final RowReader reader;
    private final LongSupplier currentHour;
    private final LongSupplier nanoTime;
    private final AtomicReference<@Nullable Month> current = new AtomicReference<>();

    @Inject
    MonthlySpend(Ledger ledger) {
        this(ledger::readSpend, ledger::currentHour, System::nanoTime);
    }

    MonthlySpend(RowReader reader, LongSupplier currentHour, LongSupplier nanoTime) {
        this.reader = reader;
        this.currentHour = currentHour;
        this.nanoTime = nanoTime;
    }

    /**
     * Returns the usage of the current month.
     *
     * @param dimension user, team, organisation or key
     * @param name name of the user, team or organisation, or id of the key
     * @return the usage, without its parts, read at most {@value #MAX_AGE_SECONDS} seconds ago; fails with
     *         {@link dev.sluice.api.StoreUnavailableException} if Redis is unavailable
     */
    public Uni<UsageTotals> of(SpendDimension dimension, String name) {
        if (!OWNERS.contains(dimension)) {
            throw new IllegalArgumentException("dimension must be one of " + OWNERS + " (was: " + dimension + ")");
        }
        return month().sums().map(sums -> sums.get(dimension).getOrDefault(name, UsageTotals.NONE));
    }

    private Month month() {
        long day = Math.floorDiv(currentHour.getAsLong(), 24L);
        long firstDay = LocalDate.ofEpochDay(day).withDayOfMonth(1).toEpochDay();
        long now = nanoTime.getAsLong();
        var month = current.get();
        if (month != null && month.firstDay() == firstDay && now - month.readAt() < month.validNanos().get()) {
            return month;
        }
        var valid = new AtomicLong(Long.MAX_VALUE); // until the read has ended
        var sums = read(new SpendRange(firstDay * 24, (day + 1) * 24, false)).invoke(done -> {
            long took = nanoTime.getAsLong() - now;
            valid.set(took + Math.min(MAX_AGE_NANOS, Math.max(MIN_AGE_NANOS, PAUSE_FACTOR * took)));
        }).onFailure().invoke(() -> current.set(null)).memoize().indefinitely();
        var read = new Month(firstDay, now, valid, sums);
        return current.compareAndSet(month, read) ? read : month();
    }

    private Uni<Map<SpendDimension, Map<String, UsageTotals>>> read(SpendRange range) {
        return Uni.createFrom().deferred(() -> {
            Map<SpendDimension, Map<String, UsageTotals>> sums = new EnumMap<>(SpendDimension.class);
            OWNERS.forEach(dimension -> sums.put(dimension, new HashMap<>()));
            return reader.read(range, row -> OWNERS.forEach(dimension -> {
                var name = dimension.of(row);
                if (name != null) {
                    sums.get(dimension).merge(name, row.totals(), UsageTotals::plus);
                }
            })).map(done -> sums);
        });
    }
}
