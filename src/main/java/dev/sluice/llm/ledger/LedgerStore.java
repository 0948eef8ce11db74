package dev.sluice.llm.ledger;

import io.smallrye.mutiny.Uni;

/** Storage of the ledger. */
interface LedgerStore {

    /** How long an hour's entries are kept: 31 days, and the oldest hour, which is partly older. */
    int RETENTION_HOURS = 31 * 24 + 1;

    Uni<Boolean> book(LedgerEntry entry, long hour);

    /** Completes when all entries booked for an identifier so far have been written, or cannot be written now. Never fails. */
    Uni<Void> awaitWritten(String identifier);

    /** Writes the buffered entries as far as possible in a short time. */
    Uni<Void> close();

    Uni<UsageReport> read(String identifier, long fromHour, long toHour);
}
