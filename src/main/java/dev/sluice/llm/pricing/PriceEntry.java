package dev.sluice.llm.pricing;

import java.time.LocalDate;
import java.util.TreeMap;

/**
 * Row of the price table.
 *
 * @param price price of its calls
 * @param source {@link PriceTable#BUNDLED}, the name of a price list, or where it was set
 */
record PriceEntry(PriceRow row, ModelPrice price, String source) {

    /**
     * @param source source of the entry
     * @throws IllegalArgumentException if an amount is not a price
     */
    static PriceEntry of(PriceRow row, String source) {
        var tiers = new TreeMap<PriceTier, TokenPrices>();
        row.tiers().forEach((tier, prices) -> tiers.put(tier, TokenPrices.of(prices)));
        var prices = row.prices().isEmpty() ? null : TokenPrices.of(row.prices());
        var complete = row.withUsualFees();
        return new PriceEntry(complete, new ModelPrice(row.model(), prices, tiers, complete.calls()), source);
    }

    /** @param day a day in UTC */
    boolean isValidOn(LocalDate day) {
        return (row.from() == null || !day.isBefore(row.from())) && (row.until() == null || !day.isAfter(row.until()));
    }
}
