package dev.sluice.llm.pricing;

import java.time.LocalDate;

import dev.sluice.llm.protocol.Provider;

/**
 * A price and when it holds.
 *
 * @param from the first day; null for ever since
 * @param until the last day; null for no end known
 */
record PriceEntry(Provider provider, ModelPrice price, LocalDate from, LocalDate until) {

    boolean isValidOn(LocalDate day) {
        return (from == null || !day.isBefore(from)) && (until == null || !day.isAfter(until));
    }
}
