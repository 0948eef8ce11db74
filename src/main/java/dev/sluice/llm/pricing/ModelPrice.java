package dev.sluice.llm.pricing;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

import dev.sluice.llm.protocol.TokenUsage;

/** Price of a model's tokens. */
public final class ModelPrice {

    private final String name;
    private final TokenPrices prices;
    private final NavigableMap<Long, TokenPrices> tiers;

    /** @param tiers prices of calls with more than that many input tokens */
    ModelPrice(String name, TokenPrices prices, Map<Long, TokenPrices> tiers) {
        this.name = name;
        this.prices = prices;
        this.tiers = new TreeMap<>(tiers);
    }

    /**
     * Returns the name of the entry in the price table, of which the model's name may be an alias. The number of names is
     * bounded by the table's size.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Returns the exact cost of a call.
     *
     * @param usage the call's tokens
     * @return the cost in 10⁻¹² US dollars
     */
    public long picodollars(TokenUsage usage) {
        var tier = tiers.lowerEntry(usage.input());
        return (tier == null ? prices : tier.getValue()).cost(usage);
    }

    @Override
    public String toString() {
        return name;
    }
}
