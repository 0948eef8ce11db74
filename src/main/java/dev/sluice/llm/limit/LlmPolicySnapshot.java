package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import org.jboss.logging.Logger;

import dev.sluice.api.Identifiers;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.LimitRule;
import dev.sluice.policy.Tiers;

/**
 * Which rates govern which calls of language models, and what these cost, at one time, as it was read. It never changes. Each of a provider's rows has a resource:
 * {@code llm:openai}, {@code llm:openai:tokens}, {@code llm:openai:budget}. A model's own row takes the place of the
 * provider's for the tiers it names: {@code llm:openai/gpt-4o}, {@code llm:openai:tokens/gpt-4o}.
 */
final class LlmPolicySnapshot {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final long OUTPUT_ESTIMATE = 1024;
    /**
     * Rates of requests that apply without configuration. The service's application.properties has the same ones, so that a
     * setting of one tier does not change those of the others.
     */
    private static final Map<Provider, Map<String, Rate>> BUILT_IN_REQUESTS = Map.of(
            Provider.OPENAI, builtIn("3/minute", "60/minute", "500/minute"),
            Provider.ANTHROPIC, builtIn("5/minute", "50/minute", "500/minute"),
            Provider.GEMINI, builtIn("15/minute", "60/minute", "1000/minute"));
    private static final String LOWEST_TIER = "free";

    /** What governs one kind of unit: a provider's row, and those of its models. */
    private record Rows(LimitRule row, Map<String, LimitRule> models) {

        LimitRule of(String tier, String model, String priced) {
            var own = models.get(model);
            own = own == null && priced != null ? models.get(priced) : own;
            return own != null && own.rate(tier) != null ? own : row;
        }
    }

    private final Set<String> unknownTiers = new TreeSet<>();
    private final ConfigProblems problems;
    private final Tiers tiers;
    private final PriceTable prices;
    private final Map<Provider, Map<QuotaUnit, Rows>> rows = new EnumMap<>(Provider.class);
    private final Map<Provider, Map<String, Long>> outputs = new EnumMap<>(Provider.class);
    private final Map<String, LimitRule> byResource = new HashMap<>();

    /**
     * @param file what it says takes the place of what the settings say of the same
     * @param tiers those of this file
     */
    LlmPolicySnapshot(LlmConfig settings, RulesDocument file, Tiers tiers) {
        this.tiers = tiers;
        problems = file.newProblems();
        var fromFile = FileProviderConfig.all(settings, file, tiers, problems);
        var configuredPrices = new EnumMap<Provider, Map<String, PriceConfig>>(Provider.class);
        for (var provider : Provider.values()) {
            var configured = fromFile.get(provider);
            configuredPrices.put(provider, configured.prices());
            var property = "rate-limit.llm." + provider.id() + ".";
            var byUnit = new EnumMap<QuotaUnit, Rows>(QuotaUnit.class);
            for (var unit : QuotaUnit.values()) {
                var models = new HashMap<String, LimitRule>();
                configured.models().forEach((model, own) -> {
                    var rates = rates(property + "models.\"" + model + "\".", own, unit);
                    if (!rates.isEmpty()) {
                        models.put(model, row(resource(provider, unit) + '/' + model, rates, configured));
                    }
                });
                byUnit.put(unit,
                        new Rows(
                                row(resource(provider, unit), complete(provider, rates(property, configured, unit), unit),
                                        configured),
                                Map.copyOf(models)));
            }
            rows.put(provider, byUnit);
            outputs.put(provider, outputs(property, configured));
        }
        prices = PriceTable.of(configuredPrices, problems);
        tiers.names().forEach(unknownTiers::remove);
    }

    /** Tells the log of rates that count for nobody. */
    void warn() {
        if (!unknownTiers.isEmpty()) {
            LOG.warnf("Limits of language models for tiers that rate-limit.tiers does not name are ignored: %s",
                    String.join(", ", unknownTiers));
        }
    }

    /**
     * A provider's id has no slash, so the first slash of a resource ends the kind, and all that follows it is the model,
     * verbatim: a model called {@code x:budget} has the resources {@code llm:openai/x:budget} and
     * {@code llm:openai:budget/x:budget}, and no other pair of kind and model has them. What a resource counts is not to be read
     * from its name.
     */
    private static String resource(Provider provider, QuotaUnit unit) {
        return "llm:" + provider.id() + switch (unit) {
            case REQUESTS -> "";
            case TOKENS -> ":tokens";
            case NANODOLLARS -> ":budget";
        };
    }

    private LimitRule row(String resource, Map<String, Rate> rates, LlmConfig.ProviderSettings provider) {
        if (!Identifiers.isValid(resource)) {
            problems.add("rate-limit.llm", resource, "a model's name, of at most 200 characters");
        }
        var row = new LimitRule(resource, rates, provider.fallback().orElse(null));
        byResource.put(resource, row);
        return row;
    }

    private Map<String, Rate> rates(String property, LlmConfig.Rows configured, QuotaUnit unit) {
        var name = unit == QuotaUnit.REQUESTS ? "requests" : unit == QuotaUnit.TOKENS ? "tokens" : "budget";
        var texts = unit == QuotaUnit.REQUESTS
                ? configured.requests()
                : unit == QuotaUnit.TOKENS ? configured.tokens() : configured.budget();
        var rates = new LinkedHashMap<String, Rate>();
        unknownTiers.addAll(texts.keySet());
        texts.forEach((tier, text) -> {
            try {
                rates.put(tier, Rate.parse(text, unit));
            } catch (IllegalArgumentException e) {
                problems.add(property + name + '.' + tier, text,
                        e.getMessage() + "; allowed: " + (unit == QuotaUnit.NANODOLLARS ? Rate.BUDGET_SYNTAX : Rate.SYNTAX));
            }
        });
        return rates;
    }

    private static Map<String, Rate> builtIn(String free, String pro, String enterprise) {
        return Map.of(LOWEST_TIER, Rate.parse(free), "pro", Rate.parse(pro), "enterprise", Rate.parse(enterprise));
    }

    /** Adds the rates of the tiers that are not configured. Tokens and money are unlimited for them. */
    private Map<String, Rate> complete(Provider provider, Map<String, Rate> rates, QuotaUnit unit) {
        boolean configured = !rates.isEmpty();
        for (var tier : tiers.names()) {
            rates.computeIfAbsent(tier,
                    name -> unit == QuotaUnit.REQUESTS ? defaultRequests(provider, name, configured) : Rate.UNLIMITED);
        }
        return rates;
    }

    /**
     * Returns the rate of requests of a tier that has none of its own: the built-in one if no tier is configured, otherwise the
     * tier's default rate. A library may have no default rate; calls, which it limits only on request, then have the built-in one,
     * and an unknown tier that of {@code free}.
     */
    private Rate defaultRequests(Provider provider, String tier, boolean configured) {
        var builtIn = BUILT_IN_REQUESTS.get(provider);
        var defaultRate = tiers.setRate(tier);
        if (builtIn.containsKey(tier) && (!configured || defaultRate.isEmpty())) {
            return builtIn.get(tier);
        }
        return defaultRate.orElse(builtIn.get(LOWEST_TIER));
    }

    private Map<String, Long> outputs(String property, LlmConfig.ProviderSettings configured) {
        var estimates = new HashMap<String, Long>();
        configured.outputEstimate().ifPresent(tokens -> output(property, "", tokens, estimates));
        configured.models().forEach((model, own) -> own.outputEstimate()
                .ifPresent(tokens -> output(property + "models.\"" + model + "\".", model, tokens, estimates)));
        estimates.putIfAbsent("", OUTPUT_ESTIMATE);
        return Map.copyOf(estimates);
    }

    private void output(String property, String model, long tokens, Map<String, Long> estimates) {
        if (tokens < 0 || tokens > TokenUsage.MAX) {
            problems.add(property + "output-estimate", Long.toString(tokens), "tokens, 0 to " + TokenUsage.MAX);
        } else {
            estimates.put(model, tokens);
        }
    }

    /** What is wrong with the settings, and with the file. */
    ConfigProblems problems() {
        return problems;
    }

    Tiers tiers() {
        return tiers;
    }

    PriceTable prices() {
        return prices;
    }

    /**
     * What governs a kind of unit.
     *
     * @param tier one of the configured ones
     * @param model as it was asked for
     * @param priced the row of the price table it belongs to; null where it has none
     */
    LimitRule row(Provider provider, QuotaUnit unit, String tier, String model, String priced) {
        return rows.get(provider).get(unit).of(tier, model, priced);
    }

    /** The output to reserve where a call sets no cap, in tokens. */
    long outputEstimate(Provider provider, String model, String priced) {
        var estimates = outputs.get(provider);
        var own = estimates.get(model);
        own = own == null && priced != null ? estimates.get(priced) : own;
        return own == null ? estimates.get("") : own;
    }

    String limited(Provider provider) {
        var limited = new ArrayList<String>();
        rows.get(provider).forEach((unit, all) -> {
            if (Stream.concat(Stream.of(all.row()), all.models().values().stream())
                    .flatMap(row -> row.rates().values().stream())
                    .anyMatch(rate -> rate != Rate.UNLIMITED)) {
                limited.add(unit == QuotaUnit.NANODOLLARS ? "budget" : unit.name().toLowerCase(Locale.ROOT));
            }
        });
        return limited.isEmpty() ? "unlimited" : String.join(", ", limited);
    }

    LimitRule row(String resource) {
        return byResource.get(resource);
    }
}
