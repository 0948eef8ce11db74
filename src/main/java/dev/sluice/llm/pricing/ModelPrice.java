package dev.sluice.llm.pricing;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

import dev.sluice.llm.protocol.TokenUsage;

/** What a model's tokens cost. */
public final class ModelPrice {

    private final String name;
    private final TokenPrices prices;
    private final NavigableMap<Long, TokenPrices> tiers;

    /** @param tiers what a call costs whose input is more than so many tokens */
    ModelPrice(String name, TokenPrices prices, Map<Long, TokenPrices> tiers) {
        this.name = name;
        this.prices = prices;
        this.tiers = new TreeMap<>(tiers);
    }

    /** The model, or what the names of its versions begin with. There are only as many names as rows in the table. */
    public String name() {
        return name;
    }

    /** What a call costs, to the last digit, in picodollars. */
    public long picodollars(TokenUsage usage) {
        var tier = tiers.lowerEntry(usage.input());
        return (tier == null ? prices : tier.getValue()).cost(usage);
    }

    @Override
    public String toString() {
        return name;
    }
}
