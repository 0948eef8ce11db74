package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.llm.protocol.Provider;

/**
 * Row of the price table, for humans. Amounts are exact decimals.
 *
 * @param provider the provider's id
 * @param model name of the row, of which a model's name may be an alias
 * @param prices US dollars per million tokens, by kind of tokens
 * @param tiers prices of calls that have other ones
 * @param fees US dollars by what is counted beside tokens, such as {@code web_search_1000} for 1,000 searches
 * @param factors what the prices of tokens are multiplied by, such as {@code fast} for Anthropic's fast mode
 * @param from first day, in UTC; null if unlimited
 * @param until last day, in UTC; null if unlimited
 * @param source {@link PriceTable#BUNDLED}, the name of a price list, or where it was set
 */
public record PriceListing(String provider, String model, Map<String, String> prices, List<Tier> tiers,
        Map<String, String> fees, Map<String, String> factors, LocalDate from, LocalDate until, String source) {

    /**
     * Prices of a tier.
     *
     * @param serviceTier tier of service
     * @param abovePromptTokens number of input tokens that a call must exceed
     * @param prices US dollars per million tokens, by kind of tokens
     */
    public record Tier(String serviceTier, long abovePromptTokens, Map<String, String> prices) {
    }

    /**
     * Returns the row of a model whose calls are free of charge.
     *
     * @param provider the provider
     * @param model the model's name
     * @return prices of 0
     */
    public static PriceListing free(Provider provider, String model) {
        return new PriceListing(provider.id(), model,
                Map.of(TokenKind.INPUT.field(), "0", TokenKind.OUTPUT.field(), "0"), List.of(), Map.of(), Map.of(), null, null,
                "settings");
    }

    static PriceListing of(PriceEntry entry) {
        var row = entry.row();
        var factors = new LinkedHashMap<String, String>();
        row.calls().factors().forEach((name, factor) -> factors.put(name, factor.toPlainString()));
        var fees = new LinkedHashMap<String, String>();
        if (!row.prices().isEmpty()) {
            row.calls().fees().forEach((kind, fee) -> fees.put(ToolFees.field(kind), fee.toPlainString()));
        }
        row.calls().units().forEachField(fees::put);
        return new PriceListing(row.provider().id(), row.model(), texts(row.prices()), row.tiers().entrySet().stream()
                .map(tier -> new Tier(tier.getKey().serviceName(), tier.getKey().above(), texts(tier.getValue()))).toList(),
                fees, factors, row.from(), row.until(),
                entry.source());
    }

    private static Map<String, String> texts(Map<TokenKind, BigDecimal> prices) {
        var texts = new LinkedHashMap<String, String>();
        prices.forEach((kind, amount) -> texts.put(kind.field(), amount.toPlainString()));
        return texts;
    }
}
