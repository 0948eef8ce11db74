package dev.sluice.llm.ledger;

import java.time.LocalDate;

import dev.sluice.llm.wire.Provider;

/**
 * A price and when it holds.
 *
 * @param from the first day; null for ever since
 * @param until the last day; null for no end known
 */
record PriceRow(Provider provider, Price price, LocalDate from, LocalDate until) {

    boolean holdsOn(LocalDate day) {
        return (from == null || !day.isBefore(from)) && (until == null || !day.isAfter(until));
    }
}
