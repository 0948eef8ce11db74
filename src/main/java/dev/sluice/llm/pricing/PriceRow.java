package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.sluice.llm.protocol.Provider;

/**
 * Row of a price list. Amounts are US dollars per million tokens.
 *
 * @param from first day, in UTC; null if unlimited
 * @param until last day, in UTC; null if unlimited
 * @param prices at least those of input, cached input, cache writes and output
 * @param tiers prices of calls with more than that many input tokens, of the same kinds
 * @param source origin of the prices
 */
record PriceRow(Provider provider, String model, LocalDate from, LocalDate until, Map<TokenKind, BigDecimal> prices,
        SortedMap<Long, Map<TokenKind, BigDecimal>> tiers, String source) {

    /** @throws IllegalArgumentException if an amount is not a price */
    PriceEntry toEntry() {
        var tierPrices = new TreeMap<Long, TokenPrices>();
        for (var tier : tiers.entrySet()) {
            tierPrices.put(tier.getKey(), TokenPrices.of(tier.getValue()));
        }
        return new PriceEntry(provider, new ModelPrice(model, TokenPrices.of(prices), tierPrices), from, until);
    }

    boolean hasSamePrices(PriceRow other) {
        return prices.equals(other.prices) && tiers.equals(other.tiers);
    }

    /** Returns this row with the higher one of both rows' prices, for each kind of tokens and length of the prompt. */
    PriceRow orDearer(PriceRow other) {
        var thresholds = new TreeSet<>(tiers.keySet());
        thresholds.addAll(other.tiers.keySet());
        var dearerTiers = new TreeMap<Long, Map<TokenKind, BigDecimal>>();
        for (var tokens : thresholds) {
            dearerTiers.put(tokens, max(pricesAbove(tokens), other.pricesAbove(tokens)));
        }
        return new PriceRow(provider, model, from, until, max(prices, other.prices), dearerTiers, source);
    }

    PriceRow withSource(String otherSource) {
        return new PriceRow(provider, model, from, until, prices, tiers, otherSource);
    }

    private Map<TokenKind, BigDecimal> pricesAbove(long tokens) {
        var reached = tiers.headMap(tokens + 1);
        return reached.isEmpty() ? prices : reached.get(reached.lastKey());
    }

    private static Map<TokenKind, BigDecimal> max(Map<TokenKind, BigDecimal> some, Map<TokenKind, BigDecimal> others) {
        var max = new EnumMap<>(some);
        others.forEach((kind, amount) -> max.merge(kind, amount, BigDecimal::max));
        return max;
    }
}
