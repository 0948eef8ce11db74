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
    private static final String GEMINI_PREFIX = "models/";

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
        longestName = entries.values().stream().flatMap(models -> models.keySet().stream()).mapToInt(String::length).max().orElse(0);
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
        var name = withoutPrefix(model);
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

    static String withoutPrefix(String model) {
        return model.startsWith(GEMINI_PREFIX) ? model.substring(GEMINI_PREFIX.length()) : model;
    }
}
