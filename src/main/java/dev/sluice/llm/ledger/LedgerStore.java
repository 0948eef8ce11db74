package dev.sluice.llm.ledger;

import io.smallrye.mutiny.Uni;

/** Where the ledger is kept. */
interface LedgerStore {

    Uni<Boolean> book(Ledger.Entry entry, long hour);

    Uni<Account> read(String identifier, long fromHour, long toHour);
}
