package dev.sluice.llm.policy;

import java.time.LocalDate;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.ModelNames;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.PriceListing;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.protocol.Provider;

/**
 * Names of providers' models: which may be called, which are aliases, and whose prices hold ({@code rate-limit.llm.<name>.models},
 * {@code .aliases}, {@code .prices}). Immutable and thread-safe.
 */
final class PricedNames {

    /** Name of a configured price that holds for all models without another one. */
    private static final String ANY = "*";

    /**
     * @param priceList provider whose prices hold for models without a configured one
     * @param free whether all calls are free of charge
     * @param allowed models that may be called; empty for all
     */
    private record Names(Map<String, String> aliases, Provider priceList, boolean free, List<Pattern> allowed) {
    }

    private final Map<Provider, Names> byProvider = new HashMap<>();

    PricedNames(Providers providers) {
        for (var provider : providers.all()) {
            var config = providers.config(provider);
            var list = config.priceList().map(String::strip).orElse(provider.id());
            byProvider.put(provider, new Names(aliases(config.aliases()),
                    list.equals(provider.id()) ? provider : Provider.ofPriceList(list), list.equals(Providers.FREE),
                    config.allowedModels().orElse(List.of()).stream().map(PricedNames::glob).toList()));
        }
    }

    private static Map<String, String> aliases(Map<String, String> configured) {
        var aliases = new HashMap<String, String>();
        configured.forEach((name, model) -> aliases.putIfAbsent(ModelPattern.normalize(name), model));
        aliases.putAll(configured);
        return Map.copyOf(aliases);
    }

    private static Pattern glob(String text) {
        return Pattern.compile(
                ModelPattern.normalize(text).chars().mapToObj(c -> c == '*' ? ".*" : Pattern.quote(Character.toString(c)))
                        .collect(Collectors.joining()),
                Pattern.DOTALL);
    }

    /** Returns the names of a provider; those of one that is no longer configured are its own only. */
    private Names names(Provider provider) {
        var names = byProvider.get(provider);
        return names == null ? new Names(Map.of(), provider, false, List.of()) : names;
    }

    /**
     * Returns what is known of a model, by its own name or else by the one of which it is an alias, and then by its
     * {@linkplain ModelPattern#normalize normalized} name: providers accept others too. Null if nothing is known.
     */
    <T> T find(Provider provider, String model, Function<String, T> lookup) {
        return find(names(provider), provider, model, lookup);
    }

    private static <T> T find(Names names, Provider list, String model, Function<String, T> lookup) {
        var found = findVerbatim(names, list, model, lookup);
        if (found != null) {
            return found;
        }
        var normalized = ModelPattern.normalize(model);
        return normalized.equals(model) ? null : findVerbatim(names, list, normalized, lookup);
    }

    private static <T> T findVerbatim(Names names, Provider list, String model, Function<String, T> lookup) {
        var found = ModelNames.find(list, model, lookup);
        if (found != null) {
            return found;
        }
        var alias = names.aliases().get(model);
        return alias == null ? null : ModelNames.find(list, alias, lookup);
    }

    /** Returns the price of a model on a day (UTC); null if it has none. */
    ModelPrice price(PriceTable prices, Provider provider, String model, LocalDate day) {
        var names = names(provider);
        var own = resolve(names, provider, model, (list, name) -> prices.exact(list, name, day));
        return names.free() && (own == null || !own.isConfigured()) ? ModelPrice.FREE : own;
    }

    /** Returns the row of {@link #price}, for humans; null if the model has no price. */
    PriceListing describe(PriceTable prices, Provider provider, String model, LocalDate day) {
        var own = resolve(names(provider), provider, model, (list, name) -> prices.describe(list, name, day));
        var price = price(prices, provider, model, day);
        return price == ModelPrice.FREE ? PriceListing.free(provider, model) : own;
    }

    /** Returns the providers whose rows hold for a provider's models, its own first. */
    Set<String> priceLists(Provider provider) {
        var lists = new LinkedHashSet<String>();
        lists.add(provider.id());
        lists.add(names(provider).priceList().id());
        return lists;
    }

    private static <T> T resolve(Names names, Provider provider, String model, BiFunction<Provider, String, T> exact) {
        var priceList = names.priceList();
        var own = find(names, provider, model, name -> exact.apply(provider, name));
        if (own == null && !priceList.equals(provider)) {
            own = find(names, priceList, model, name -> exact.apply(priceList, name));
        }
        return own == null && !model.isEmpty() ? exact.apply(provider, ANY) : own;
    }

    /** Returns whether a model may be called. */
    boolean allows(Provider provider, String model) {
        var allowed = names(provider).allowed();
        return allowed.isEmpty() || allowed.stream().anyMatch(glob -> glob.matcher(ModelPattern.normalize(model)).matches());
    }
}
