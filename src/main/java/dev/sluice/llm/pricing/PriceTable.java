package dev.sluice.llm.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;

/** Prices of all models: the bundled ones, replaced by configured ones. Immutable. */
public final class PriceTable {

    private final Map<Provider, Map<String, List<PriceEntry>>> entries = new EnumMap<>(Provider.class);
    private final int longestName;

    private PriceTable(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured, ConfigProblems problems) {
        for (var provider : Provider.values()) {
            entries.put(provider, new HashMap<>());
        }
        for (var entry : BundledPrices.read()) {
            entries.get(entry.provider()).computeIfAbsent(entry.price().name(), name -> new ArrayList<>(2)).add(entry);
        }
        configured.forEach((provider, models) -> {
            var reader = new PriceConfigReader(provider, problems);
            models.forEach((model, settings) -> reader.read(model, settings).ifPresent(
                    price -> entries.get(provider).put(price.name(), List.of(new PriceEntry(provider, price, null, null)))));
        });
        longestName = entries.values().stream().flatMap(models -> models.keySet().stream()).mapToInt(String::length).max()
                .orElse(0);
    }

    /**
     * Creates the table.
     *
     * @param configured the configured prices by model, or by a prefix common to its versions
     * @param problems receives a line for each invalid setting; its model keeps its bundled price
     * @return the table
     */
    public static PriceTable of(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured,
            ConfigProblems problems) {
        return new PriceTable(configured, problems);
    }

    /**
     * Returns the price whose name is the longest one that equals the model's name, or its beginning up to a {@code -} or
     * {@code :}. A model without a price is not free: its calls must be counted as unpriced.
     *
     * @param provider the provider
     * @param model the model's name as requested, of any length
     * @param day the day in UTC
     * @return the price; empty if the model is unknown
     */
    public Optional<ModelPrice> find(Provider provider, String model, LocalDate day) {
        var name = ModelPrice.withoutPrefix(model);
        var prices = entries.get(provider);
        for (int end = Math.min(name.length(), longestName); end > 0; end--) {
            if (end < name.length() && name.charAt(end) != '-' && name.charAt(end) != ':') {
                continue;
            }
            for (var entry : prices.getOrDefault(name.substring(0, end), List.of())) {
                if (entry.isValidOn(day)) {
                    return Optional.of(entry.price());
                }
            }
        }
        return Optional.empty();
    }
}
