package dev.sluice.llm.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;

/** Prices of all models: the bundled ones, replaced by configured ones. Immutable. */
public final class PriceTable {

    private final Map<Provider, Map<String, List<PriceEntry>>> entries = new HashMap<>();

    private PriceTable(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured, ConfigProblems problems) {
        for (var entry : BundledPrices.read()) {
            of(entry.provider()).computeIfAbsent(entry.price().name(), name -> new ArrayList<>(2)).add(entry);
        }
        configured.forEach((provider, models) -> {
            var reader = new PriceConfigReader(provider, problems);
            models.forEach((model, settings) -> reader.read(model, settings).ifPresent(
                    price -> of(provider).put(price.name(), List.of(new PriceEntry(provider, price, null, null)))));
        });
    }

    private Map<String, List<PriceEntry>> of(Provider provider) {
        return entries.computeIfAbsent(provider, name -> new HashMap<>());
    }

    /**
     * Creates the table.
     *
     * @param configured the configured prices by model
     * @param problems receives a line for each invalid setting; its model keeps its bundled price
     * @return the table
     */
    public static PriceTable of(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured,
            ConfigProblems problems) {
        return new PriceTable(configured, problems);
    }

    /**
     * Returns the price of a model: the one of exactly its name, or else of a name of which it is an alias
     * ({@link ModelNames}). A model without a price is not free: its calls must be counted as unpriced.
     *
     * @param provider the provider
     * @param model the model's name as requested, of any length
     * @param day the day in UTC
     * @return the price; empty if the model is unknown
     */
    public Optional<ModelPrice> find(Provider provider, String model, LocalDate day) {
        return Optional.ofNullable(ModelNames.find(provider, model, name -> exact(provider, name, day)));
    }

    /**
     * Returns the price of exactly a name.
     *
     * @param provider the provider
     * @param name the model's name
     * @param day the day in UTC
     * @return the price; null if the name has none
     */
    public ModelPrice exact(Provider provider, String name, LocalDate day) {
        return validOn(day, entries.getOrDefault(provider, Map.of()).get(name));
    }

    /** @param entries the entries of a name; null if it has none */
    private static ModelPrice validOn(LocalDate day, List<PriceEntry> entries) {
        if (entries != null) {
            for (var entry : entries) {
                if (entry.isValidOn(day)) {
                    return entry.price();
                }
            }
        }
        return null;
    }
}
