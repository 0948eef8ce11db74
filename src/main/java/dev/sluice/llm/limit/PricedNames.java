package dev.sluice.llm.limit;

import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import dev.sluice.llm.pricing.ModelNames;
import dev.sluice.llm.pricing.ModelPrice;
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
            byProvider.put(provider, new Names(Map.copyOf(config.aliases()),
                    list.equals(provider.id()) ? provider : Provider.ofPriceList(list), list.equals(Providers.FREE),
                    config.allowedModels().orElse(List.of()).stream().map(PricedNames::glob).toList()));
        }
    }

    private static Pattern glob(String text) {
        return Pattern.compile(text.strip().chars().mapToObj(c -> c == '*' ? ".*" : Pattern.quote(Character.toString(c)))
                .collect(Collectors.joining()), Pattern.DOTALL);
    }

    /** Returns what is known of a model, by its own name or else by the one of which it is an alias; null if nothing is. */
    <T> T find(Provider provider, String model, Function<String, T> lookup) {
        return find(provider, provider, model, lookup);
    }

    private <T> T find(Provider provider, Provider list, String model, Function<String, T> lookup) {
        var found = ModelNames.find(list, model, lookup);
        if (found != null) {
            return found;
        }
        var alias = byProvider.get(provider).aliases().get(model);
        return alias == null ? null : ModelNames.find(list, alias, lookup);
    }

    /** Returns the price of a model on a day (UTC); null if it has none. */
    ModelPrice price(PriceTable prices, Provider provider, String model, LocalDate day) {
        var names = byProvider.get(provider);
        var own = find(provider, model, name -> prices.exact(provider, name, day));
        if (own == null && !names.priceList().equals(provider)) {
            own = find(provider, names.priceList(), model, name -> prices.exact(names.priceList(), name, day));
        }
        if (own == null) {
            own = prices.exact(provider, ANY, day);
        }
        return own == null && names.free() ? ModelPrice.FREE : own;
    }

    /** Returns whether a model may be called. */
    boolean allows(Provider provider, String model) {
        var allowed = byProvider.get(provider).allowed();
        return allowed.isEmpty() || allowed.stream().anyMatch(glob -> glob.matcher(model).matches());
    }
}
