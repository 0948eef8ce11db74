package dev.sluice.llm.ledger;

import io.smallrye.mutiny.Uni;

/** Where the ledger is kept. */
interface LedgerStore {

    Uni<Boolean> book(Ledger.Entry entry, long hour);

    /** Completes when what was booked for an identifier so far is written, or it is clear that it must wait. Never fails. */
    Uni<Void> awaitWritten(String identifier);

    /** Writes what waits, as far as that is possible in a short time. */
    Uni<Void> close();

    Uni<UsageReport> read(String identifier, long fromHour, long toHour);
}
