package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;

/**
 * Row of a price list. Amounts are US dollars per million tokens.
 *
 * @param from first day, in UTC; null if unlimited
 * @param until last day, in UTC; null if unlimited
 * @param prices at least those of input, cached input, cache writes and output; empty if the model is not billed by tokens
 * @param tiers prices of calls that have other ones, of the same kinds
 * @param calls prices of what is not a token
 * @param source origin of the prices
 */
record PriceRow(Provider provider, String model, LocalDate from, LocalDate until, Map<TokenKind, BigDecimal> prices,
        SortedMap<PriceTier, Map<TokenKind, BigDecimal>> tiers, CallPrices calls, String source) {

    private static final int MAX_SCALE = 6;

    /** Returns whether there is a day on which both rows are valid. */
    boolean overlaps(PriceRow other) {
        return !endsBefore(other.from) && !other.endsBefore(from);
    }

    private boolean endsBefore(LocalDate day) {
        return until != null && day != null && until.isBefore(day);
    }

    boolean hasSamePrices(PriceRow other) {
        return prices.equals(other.prices) && tiers.equals(other.tiers)
                && calls.withoutMaxima().withUsualFees(provider)
                        .equals(other.calls.withoutMaxima().withUsualFees(provider));
    }

    /**
     * Returns this row with the higher one of both rows' prices, for each kind of tokens and length of the prompt. Prices of a tier
     * of service that one of the rows lacks are raised like those of the standard tier.
     */
    PriceRow orDearer(PriceRow other) {
        var dearer = max(prices, other.prices);
        var all = new TreeSet<>(tiers.keySet());
        all.addAll(other.tiers.keySet());
        var dearerTiers = new TreeMap<PriceTier, Map<TokenKind, BigDecimal>>();
        for (var tier : all) {
            boolean both = tier.service() == ServiceTier.STANDARD || has(tier.service()) == other.has(tier.service());
            var only = has(tier.service()) ? this : other;
            dearerTiers.put(tier, both ? max(pricesIn(tier), other.pricesIn(tier)) : only.raised(tier, dearer));
        }
        return new PriceRow(provider, model, from, until, dearer, dearerTiers, calls.orDearer(other.calls), source);
    }

    private boolean has(ServiceTier service) {
        return tiers.keySet().stream().anyMatch(tier -> tier.service() == service);
    }

    private Map<TokenKind, BigDecimal> raised(PriceTier tier, Map<TokenKind, BigDecimal> dearer) {
        var raised = new EnumMap<>(tiers.get(tier));
        raised.replaceAll((kind, amount) -> {
            var standard = prices.get(kind);
            var higher = dearer.get(kind);
            return standard == null || standard.signum() == 0 || higher == null || higher.compareTo(standard) <= 0
                    ? amount
                    : amount.multiply(higher).divide(standard, MAX_SCALE, RoundingMode.CEILING).stripTrailingZeros();
        });
        return raised;
    }

    /** Returns the same with the provider's fees where the row has none. */
    PriceRow withUsualFees() {
        return new PriceRow(provider, model, from, until, prices, tiers, calls.withUsualFees(provider), source);
    }

    PriceRow withSource(String otherSource) {
        return new PriceRow(provider, model, from, until, prices, tiers, calls, otherSource);
    }

    /** Returns the prices that hold in a tier; those of the standard tier if there are none for the tier of service. */
    private Map<TokenKind, BigDecimal> pricesIn(PriceTier tier) {
        for (var service : new ServiceTier[]{tier.service(), ServiceTier.STANDARD}) {
            var reached = tiers.subMap(new PriceTier(service, 0), new PriceTier(service, tier.above() + 1));
            if (!reached.isEmpty()) {
                return reached.get(reached.lastKey());
            }
        }
        return prices;
    }

    static Map<TokenKind, BigDecimal> max(Map<TokenKind, BigDecimal> some, Map<TokenKind, BigDecimal> others) {
        var max = new EnumMap<TokenKind, BigDecimal>(TokenKind.class); // the constructor that copies does not take an empty map
        max.putAll(some);
        others.forEach((kind, amount) -> max.merge(kind, amount, BigDecimal::max));
        return max;
    }
}
