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

/** What the models cost: the prices that come with Sluice, and in their place those of the settings. */
public final class PriceTable {

    /** What Gemini's names may begin with. */
    private static final String MODELS = "models/";

    private final Map<Provider, Map<String, List<PriceEntry>>> rows = new EnumMap<>(Provider.class);
    private final int longest;

    private PriceTable(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured, ConfigProblems problems) {
        for (var provider : Provider.values()) {
            rows.put(provider, new HashMap<>());
        }
        for (var row : BundledPrices.read()) {
            rows.get(row.provider()).computeIfAbsent(row.price().name(), name -> new ArrayList<>(2)).add(row);
        }
        configured.forEach((provider, models) -> {
            var reader = new PriceConfigReader(provider, problems);
            models.forEach((model, settings) -> reader.read(model, settings).ifPresent(
                    price -> rows.get(provider).put(price.name(), List.of(new PriceEntry(provider, price, null, null)))));
        });
        longest = rows.values().stream().flatMap(models -> models.keySet().stream()).mapToInt(String::length).max().orElse(0);
    }

    /**
     * @param configured by model, or by what the names of its versions begin with
     * @param problems gets a line for each setting that cannot be read; its model then keeps the price that it had
     */
    public static PriceTable of(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured,
            ConfigProblems problems) {
        return new PriceTable(configured, problems);
    }

    /**
     * The price with the longest name that is the model's own, or its beginning up to a {@code -} or {@code :}. What is unknown
     * is not free: whoever gets nothing counts the call as unpriced.
     *
     * @param model as it stands in the call, of any length
     * @param day in UTC
     */
    public Optional<ModelPrice> find(Provider provider, String model, LocalDate day) {
        var name = bare(model);
        var prices = rows.get(provider);
        for (int end = Math.min(name.length(), longest); end > 0; end--) {
            if (end < name.length() && name.charAt(end) != '-' && name.charAt(end) != ':') {
                continue;
            }
            for (var row : prices.getOrDefault(name.substring(0, end), List.of())) {
                if (row.holdsOn(day)) {
                    return Optional.of(row.price());
                }
            }
        }
        return Optional.empty();
    }

    static String bare(String model) {
        return model.startsWith(MODELS) ? model.substring(MODELS.length()) : model;
    }
}
