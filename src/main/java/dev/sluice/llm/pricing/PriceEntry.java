package dev.sluice.llm.pricing;

import java.time.LocalDate;

import dev.sluice.llm.protocol.Provider;

/**
 * Price with its period of validity.
 *
 * @param from first day, in UTC; null if unlimited
 * @param until last day, in UTC; null if unlimited
 */
record PriceEntry(Provider provider, ModelPrice price, LocalDate from, LocalDate until) {

    boolean isValidOn(LocalDate day) {
        return (from == null || !day.isBefore(from)) && (until == null || !day.isAfter(until));
    }
}
