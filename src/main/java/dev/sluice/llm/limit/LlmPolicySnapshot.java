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
    private static final long DEFAULT_OUTPUT_ESTIMATE = 1024;

    /** What governs one kind of unit: a provider's row, and those of its models. */
    private record UnitRules(LimitRule providerRule, Map<String, LimitRule> modelRules) {

        LimitRule forModel(String tier, String model, String priceName) {
            var modelRule = modelRules.get(model);
            modelRule = modelRule == null && priceName != null ? modelRules.get(priceName) : modelRule;
            return modelRule != null && modelRule.rate(tier) != null ? modelRule : providerRule;
        }
    }

    private final Set<String> unknownTiers = new TreeSet<>();
    private final ConfigProblems problems;
    private final Tiers tiers;
    private final PriceTable prices;
    private final Map<Provider, Map<QuotaUnit, UnitRules>> rules = new EnumMap<>(Provider.class);
    private final Map<Provider, Map<String, Long>> outputEstimates = new EnumMap<>(Provider.class);
    private final Map<String, LimitRule> byResource = new HashMap<>();

    /**
     * @param file what it says takes the place of what the settings say of the same
     * @param tiers those of this file
     */
    LlmPolicySnapshot(LlmConfig config, RulesDocument file, Tiers tiers) {
        this.tiers = tiers;
        problems = file.newProblems();
        var merged = FileProviderConfig.readAll(config, file, tiers, problems);
        var configuredPrices = new EnumMap<Provider, Map<String, PriceConfig>>(Provider.class);
        for (var provider : Provider.values()) {
            var configured = merged.get(provider);
            configuredPrices.put(provider, configured.prices());
            var prefix = "rate-limit.llm." + provider.id() + ".";
            var byUnit = new EnumMap<QuotaUnit, UnitRules>(QuotaUnit.class);
            for (var unit : QuotaUnit.values()) {
                var models = new HashMap<String, LimitRule>();
                configured.models().forEach((model, own) -> {
                    var rates = rates(prefix + "models.\"" + model + "\".", own, unit);
                    if (!rates.isEmpty()) {
                        models.put(model, rule(resource(provider, unit) + '/' + model, rates, configured));
                    }
                });
                byUnit.put(unit,
                        new UnitRules(rule(resource(provider, unit), withDefaults(rates(prefix, configured, unit), unit), configured),
                                Map.copyOf(models)));
            }
            rules.put(provider, byUnit);
            outputEstimates.put(provider, outputEstimates(prefix, configured));
        }
        prices = PriceTable.of(configuredPrices, problems);
        tiers.names().forEach(unknownTiers::remove);
    }

    /** Tells the log of rates that count for nobody. */
    void logUnknownTiers() {
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

    private LimitRule rule(String resource, Map<String, Rate> rates, LlmConfig.ProviderConfig provider) {
        if (!Identifiers.isValid(resource)) {
            problems.add("rate-limit.llm", resource, "a model's name, of at most 200 characters");
        }
        var rule = new LimitRule(resource, rates, provider.fallback().orElse(null));
        byResource.put(resource, rule);
        return rule;
    }

    private Map<String, Rate> rates(String prefix, LlmConfig.LimitConfig configured, QuotaUnit unit) {
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
                problems.add(prefix + name + '.' + tier, text,
                        e.getMessage() + "; allowed: " + (unit == QuotaUnit.NANODOLLARS ? Rate.BUDGET_SYNTAX : Rate.SYNTAX));
            }
        });
        return rates;
    }

    /** Requests have the tier's default rate where nothing is said; tokens and money have no limit then. */
    private Map<String, Rate> withDefaults(Map<String, Rate> rates, QuotaUnit unit) {
        for (var tier : tiers.names()) {
            rates.computeIfAbsent(tier, name -> unit == QuotaUnit.REQUESTS ? tiers.rate(name) : Rate.UNLIMITED);
        }
        return rates;
    }

    private Map<String, Long> outputEstimates(String prefix, LlmConfig.ProviderConfig configured) {
        var estimates = new HashMap<String, Long>();
        configured.outputEstimate().ifPresent(tokens -> addOutputEstimate(prefix, "", tokens, estimates));
        configured.models().forEach((model, modelSpecific) -> modelSpecific.outputEstimate()
                .ifPresent(tokens -> addOutputEstimate(prefix + "models.\"" + model + "\".", model, tokens, estimates)));
        estimates.putIfAbsent("", DEFAULT_OUTPUT_ESTIMATE);
        return Map.copyOf(estimates);
    }

    private void addOutputEstimate(String prefix, String model, long tokens, Map<String, Long> estimates) {
        if (tokens < 0 || tokens > TokenUsage.MAX) {
            problems.add(prefix + "output-estimate", Long.toString(tokens), "tokens, 0 to " + TokenUsage.MAX);
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
     * @param priceName the row of the price table it belongs to; null where it has none
     */
    LimitRule rule(Provider provider, QuotaUnit unit, String tier, String model, String priceName) {
        return rules.get(provider).get(unit).forModel(tier, model, priceName);
    }

    /** The output to reserve where a call sets no cap, in tokens. */
    long outputEstimate(Provider provider, String model, String priceName) {
        var estimates = outputEstimates.get(provider);
        var modelSpecific = estimates.get(model);
        modelSpecific = modelSpecific == null && priceName != null ? estimates.get(priceName) : modelSpecific;
        return modelSpecific == null ? estimates.get("") : modelSpecific;
    }

    String describeLimits(Provider provider) {
        var limitedUnits = new ArrayList<String>();
        rules.get(provider).forEach((unit, unitRules) -> {
            if (Stream.concat(Stream.of(unitRules.providerRule()), unitRules.modelRules().values().stream())
                    .flatMap(rule -> rule.rates().values().stream())
                    .anyMatch(rate -> rate != Rate.UNLIMITED)) {
                limitedUnits.add(unit == QuotaUnit.NANODOLLARS ? "budget" : unit.name().toLowerCase(Locale.ROOT));
            }
        });
        return limitedUnits.isEmpty() ? "unlimited" : String.join(", ", limitedUnits);
    }

    LimitRule rule(String resource) {
        return byResource.get(resource);
    }
}
