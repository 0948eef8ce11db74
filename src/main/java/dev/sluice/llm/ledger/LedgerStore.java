package dev.sluice.llm.ledger;

import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import io.smallrye.mutiny.Uni;

/** Storage of the ledger. */
interface LedgerStore {

    /** Time for which an hour's entries are kept: 31 days, and the oldest hour, which is partly older. */
    int RETENTION_HOURS = 31 * 24 + 1;

    /** Maximum number of models, of all providers together, of an identifier's hour; further ones are summed as one model. */
    int MAX_MODELS = 100;

    /** Name of the model as which further ones are summed. */
    String OTHER_MODELS = "other";

    /** Maximum number of request ids that are kept for an identifier: the latest ones. */
    int MAX_REQUEST_IDS = 10_000;

    /** Maximum number of owners of an identifier's hour; further ones are summed as the identifier's own. */
    int MAX_OWNERS = 32;

    /** Number of days, before the current one, of which the sums are kept: two calendar months. */
    int RETENTION_DAYS = 62;

    /** Books an entry without an idempotency key. */
    void add(LedgerEntry entry, long hour);

    /** Books an entry once, as {@link Ledger#book(LedgerEntry, Consumer)}. */
    Uni<@Nullable Boolean> book(LedgerEntry entry, long hour, Consumer<Boolean> later);

    /** Books an entry; completes with whether it is new, as {@link Ledger#book(LedgerEntry)}. */
    default Uni<Boolean> book(LedgerEntry entry, long hour) {
        return book(entry, hour, isNew -> {
        }).map(isNew -> isNew == null || isNew);
    }

    /** Completes when all entries booked for an identifier so far have been written, or cannot be written now. Never fails. */
    Uni<Void> awaitWritten(String identifier);

    /** Writes the buffered entries as far as possible in a short time. */
    Uni<Void> close();

    Uni<UsageReport> read(String identifier, long fromHour, long toHour);

    /** Passes the usage of all owners to a consumer, as {@link Ledger#readSpend}. */
    Uni<Void> readSpend(SpendRange range, Consumer<SpendRow> rows);

    /** Computes the sums of the days before a day, of which usage has been booked since. */
    Uni<Void> computeDays(long day);

    /** Returns the histogram of a model's outputs; fails if it cannot be read now. */
    Uni<OutputHistogram> readOutputs(String identifier, String provider, String model, long fromHour, long toHour);
}
