package dev.sluice.llm.pricing;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;

/**
 * Prices of all models: the bundled ones, replaced by those of a price list, replaced by configured ones. What replaces a model's
 * prices, replaces all of them. Immutable.
 */
public final class PriceTable {

    /** Source of the prices that are bundled with Sluice. */
    public static final String BUNDLED = "bundled";

    private final List<PriceEntry> configured;
    /** Entries by the provider's id and the model's name. */
    private final Map<String, Map<String, List<PriceEntry>>> entries = new HashMap<>();

    /** Returns the day on which the bundled prices were imported, in UTC. */
    public static LocalDate bundledAsOf() {
        return BundledPrices.asOf();
    }

    private PriceTable(PriceList list, List<PriceEntry> configured) {
        this.configured = configured;
        replace(BundledPrices.read());
        replace(list.entries());
        replace(configured);
    }

    /** Replaces the entries of the models that are named. */
    private void replace(List<PriceEntry> layer) {
        var added = new HashMap<String, Map<String, List<PriceEntry>>>();
        for (var entry : layer) {
            added.computeIfAbsent(entry.row().provider().id(), provider -> new HashMap<>())
                    .computeIfAbsent(entry.row().model(), name -> new ArrayList<>(2)).add(entry);
        }
        added.forEach((provider, models) -> entries.computeIfAbsent(provider, id -> new HashMap<>()).putAll(models));
    }

    /**
     * Creates the table without a price list.
     *
     * @param configured the configured prices by model
     * @param problems receives a line for each invalid setting; its model keeps its other price
     * @return the table
     */
    public static PriceTable of(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured,
            ConfigProblems problems) {
        return of(configured, problems, property -> "settings");
    }

    /**
     * Creates the table without a price list.
     *
     * @param configured the configured prices by model
     * @param problems receives a line for each invalid setting; its model keeps its other price
     * @param sources returns where a property is set, for humans
     * @return the table
     */
    public static PriceTable of(Map<Provider, ? extends Map<String, ? extends PriceConfig>> configured,
            ConfigProblems problems, UnaryOperator<String> sources) {
        var read = new ArrayList<PriceEntry>();
        configured.forEach((provider, models) -> {
            var reader = new PriceConfigReader(provider, problems, sources);
            models.forEach((model, settings) -> reader.read(model, settings).ifPresent(read::add));
        });
        return new PriceTable(PriceList.NONE, read);
    }

    /**
     * Returns a table with the same configured prices, and those of a list.
     *
     * @param list the list, in place of another one
     * @return a new table
     */
    public PriceTable withList(PriceList list) {
        return new PriceTable(list, configured);
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
        return entry(provider, model, day).map(PriceEntry::price);
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
        var entry = exactEntry(provider, name, day);
        return entry == null ? null : entry.price();
    }

    /**
     * Returns the row of exactly a name.
     *
     * @param provider the provider
     * @param name the model's name
     * @param day the day in UTC
     * @return the row; null if the name has none
     */
    public PriceListing describe(Provider provider, String name, LocalDate day) {
        var entry = exactEntry(provider, name, day);
        return entry == null ? null : PriceListing.of(entry);
    }

    /**
     * Returns the rows that are valid on a day.
     *
     * @param day the day in UTC
     * @return the rows by provider and model, sorted
     */
    public List<PriceListing> list(LocalDate day) {
        return entries.values().stream().flatMap(models -> models.values().stream()).flatMap(List::stream)
                .filter(entry -> entry.isValidOn(day)).map(PriceListing::of)
                .sorted(Comparator.comparing(PriceListing::provider).thenComparing(PriceListing::model)).toList();
    }

    private Optional<PriceEntry> entry(Provider provider, String model, LocalDate day) {
        return Optional.ofNullable(ModelNames.find(provider, model, name -> exactEntry(provider, name, day)));
    }

    private PriceEntry exactEntry(Provider provider, String name, LocalDate day) {
        return validOn(day, entries.getOrDefault(provider.id(), Map.of()).get(name));
    }

    /** @param entries the entries of a name; null if it has none */
    private static PriceEntry validOn(LocalDate day, List<PriceEntry> entries) {
        if (entries != null) {
            for (var entry : entries) {
                if (entry.isValidOn(day)) {
                    return entry;
                }
            }
        }
        return null;
    }
}
