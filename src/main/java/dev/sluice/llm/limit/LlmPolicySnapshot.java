package dev.sluice.llm.limit;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import dev.sluice.api.Identifiers;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.LimitRule;
import dev.sluice.policy.RuleSource;
import dev.sluice.policy.Tiers;

/**
 * Immutable snapshot of the LLM rules and prices.
 * <p>
 * Each rule has a resource: {@code llm:openai}, {@code llm:openai:tokens}, {@code llm:openai:budget}; {@code llm:openai:free} for
 * calls that use no tokens; {@code llm:openai:unproven} for calls with keys that the provider has not accepted yet. A model's own
 * rule
 * ({@code llm:openai/gpt-4o}, {@code llm:openai:tokens/gpt-4o}) replaces the provider's for the tiers that it names.
 */
final class LlmPolicySnapshot {

    private static final long DEFAULT_OUTPUT_ESTIMATE = 4096;
    /** Rules of one unit: the provider's rule and those of its models. */
    private record UnitRules(LimitRule providerRule, Map<String, LimitRule> modelRules) {

        LimitRule forModel(PricedNames names, Provider provider, String tier, String model) {
            if (modelRules.isEmpty()) {
                return providerRule;
            }
            var modelRule = names.find(provider, model, modelRules::get);
            return modelRule != null && modelRule.rate(tier) != null ? modelRule : providerRule;
        }
    }

    private final ConfigProblems problems;
    private final Tiers tiers;
    private final PriceTable prices;
    private final PricedNames names;
    private final Map<Provider, Map<QuotaUnit, UnitRules>> rules = new HashMap<>();
    private final Map<Provider, LimitRule> freeCallRules = new HashMap<>();
    private final Map<Provider, LimitRule> unprovenCallRules = new HashMap<>();
    private final Map<Provider, Map<String, Long>> outputEstimates = new HashMap<>();
    private final Map<Provider, Long> maxReservedOutputs = new HashMap<>();
    private final Map<String, LimitRule> byResource = new HashMap<>();
    /** Sources of the rules of requests, tokens and budgets, by resource. */
    private final Map<String, String> sources = new HashMap<>();
    private final RulesDocument file;

    /**
     * @param file overrides the configuration
     * @param tiers the tiers of this file
     */
    LlmPolicySnapshot(LlmConfig config, RulesDocument file, Tiers tiers) {
        this.tiers = tiers;
        this.file = file;
        var providers = new Providers(config);
        this.names = new PricedNames(providers);
        problems = file.newProblems();
        var merged = FileProviderConfig.readAll(providers, file, tiers, problems);
        var freeCalls = FreeCallRates.read(config, file, tiers, problems);
        var unprovenCalls = unprovenCallRates(config);
        var configuredPrices = new HashMap<Provider, Map<String, PriceConfig>>();
        for (var provider : providers.all()) {
            var configured = merged.get(provider);
            configuredPrices.put(provider, configured.prices());
            var prefix = "rate-limit.llm." + provider.id() + ".";
            var byUnit = new EnumMap<QuotaUnit, UnitRules>(QuotaUnit.class);
            for (var unit : QuotaUnit.values()) {
                var models = new HashMap<String, LimitRule>();
                configured.models().forEach((model, own) -> {
                    var rates = rates(prefix + "models.\"" + model + "\".", own, unit);
                    if (!rates.isEmpty()) {
                        sources.put(resource(provider, unit) + '/' + model,
                                source(prefix + "models.\"" + model + "\"." + name(unit), rates));
                        models.put(model, rule(resource(provider, unit) + '/' + model, rates, configured));
                    }
                });
                byUnit.put(unit,
                        new UnitRules(
                                rule(resource(provider, unit), withDefaults(provider, rates(prefix, configured, unit), unit),
                                        configured),
                                Map.copyOf(models)));
            }
            rules.put(provider, byUnit);
            freeCallRules.put(provider, rule("llm:" + provider.id() + ":free", freeCalls, configured));
            unprovenCallRules.put(provider, rule("llm:" + provider.id() + ":unproven", unprovenCalls, configured));
            outputEstimates.put(provider, outputEstimates(prefix, configured));
            maxReservedOutputs.put(provider, maxReservedOutput(prefix, configured));
        }
        prices = PriceTable.of(configuredPrices, problems, property -> RuleSource.configured(file.place(property)));
    }

    /**
     * Returns the resource of a provider's rule; a model's rule appends {@code /} and the model's name.
     * <p>
     * A provider's id contains no slash, so the first slash of a resource ends the kind, and all that follows is the model,
     * verbatim: a model called {@code x:budget} has the resources {@code llm:openai/x:budget} and
     * {@code llm:openai:budget/x:budget}, and no other pair of kind and model has them. The unit of a resource must not be
     * derived from its name.
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

    private static String name(QuotaUnit unit) {
        return switch (unit) {
            case REQUESTS -> "requests";
            case TOKENS -> "tokens";
            case NANODOLLARS -> "budget";
        };
    }

    /** @param rates the configured rates */
    private String source(String property, Map<String, Rate> rates) {
        boolean builtIn = file.place(property).isEmpty()
                && rates.entrySet().stream().allMatch(rate -> BuiltInRates.contains(rate.getKey(), rate.getValue()));
        return builtIn ? RuleSource.BUILT_IN : RuleSource.configured(file.place(property));
    }

    private Map<String, Rate> rates(String prefix, LlmConfig.LimitConfig configured, QuotaUnit unit) {
        var name = name(unit);
        var texts = unit == QuotaUnit.REQUESTS
                ? configured.requests()
                : unit == QuotaUnit.TOKENS ? configured.tokens() : configured.budget();
        var rates = new LinkedHashMap<String, Rate>();
        texts.forEach((tier, text) -> {
            try {
                var rate = Rate.parse(text, unit);
                if (!tiers.isKnown(tier) && !BuiltInRates.contains(tier, rate)) {
                    problems.add(prefix + name + '.' + tier, text, tiers.unknown(tier));
                }
                rates.put(tier, rate);
            } catch (IllegalArgumentException e) {
                problems.add(prefix + name + '.' + tier, text,
                        e.getMessage() + "; allowed: " + (unit == QuotaUnit.NANODOLLARS ? Rate.BUDGET_SYNTAX : Rate.SYNTAX));
            }
        });
        return rates;
    }

    /** Adds the rates of the tiers that are not configured. Tokens and budget are unlimited for them. */
    private Map<String, Rate> withDefaults(Provider provider, Map<String, Rate> rates, QuotaUnit unit) {
        boolean configured = !rates.isEmpty();
        sources.put(resource(provider, unit), source("rate-limit.llm." + provider.id() + '.' + name(unit), rates));
        for (var tier : tiers.names()) {
            rates.computeIfAbsent(tier,
                    name -> unit == QuotaUnit.REQUESTS
                            ? BuiltInRates.requests(provider, name, configured, tiers)
                            : Rate.UNLIMITED);
        }
        return rates;
    }

    /** Returns the rate of calls with unproven keys, which is the same for all tiers. */
    private Map<String, Rate> unprovenCallRates(LlmConfig config) {
        var rate = Rate.UNLIMITED;
        try {
            rate = Rate.parse(config.unprovenKeys());
        } catch (IllegalArgumentException e) { // the problem prevents its use
            problems.add("rate-limit.llm.unproven-keys", config.unprovenKeys(), e.getMessage() + "; allowed: " + Rate.SYNTAX);
        }
        var rates = new LinkedHashMap<String, Rate>();
        for (var tier : tiers.names()) {
            rates.put(tier, rate);
        }
        return rates;
    }

    private Map<String, Long> outputEstimates(String prefix, LlmConfig.ProviderConfig configured) {
        var estimates = new HashMap<String, Long>();
        configured.outputEstimate().ifPresent(tokens -> addOutputEstimate(prefix, "", tokens, estimates));
        configured.models().forEach((model, modelSpecific) -> modelSpecific.outputEstimate()
                .ifPresent(tokens -> addOutputEstimate(prefix + "models.\"" + model + "\".", model, tokens, estimates)));
        return Map.copyOf(estimates);
    }

    private void addOutputEstimate(String prefix, String model, long tokens, Map<String, Long> estimates) {
        if (tokens < 0 || tokens > TokenUsage.MAX) {
            problems.add(prefix + "output-estimate", Long.toString(tokens), "tokens, 0 to " + TokenUsage.MAX);
        } else {
            estimates.put(model, tokens);
        }
    }

    private long maxReservedOutput(String prefix, LlmConfig.ProviderConfig configured) {
        long tokens = configured.maxReservedOutput();
        if (tokens < 1 || tokens > TokenUsage.MAX) {
            problems.add(prefix + "max-reserved-output", Long.toString(tokens), "tokens, 1 to " + TokenUsage.MAX);
        }
        return configured.reserve() == LlmConfig.Reserve.FULL ? TokenUsage.MAX : tokens;
    }

    /** Returns the problems found in the configuration and the rules file. */
    ConfigProblems problems() {
        return problems;
    }

    Tiers tiers() {
        return tiers;
    }

    /** Returns the bundled prices, replaced by configured ones. */
    PriceTable prices() {
        return prices;
    }

    /**
     * Returns the price of a model on a day (UTC); null if it has none.
     *
     * @param model the model as requested
     */
    ModelPrice price(Provider provider, String model, LocalDate day) {
        return names.price(prices, provider, model, day);
    }

    /** Returns the names of the models. */
    PricedNames names() {
        return names;
    }

    /** Returns whether a model may be called. */
    boolean allows(Provider provider, String model) {
        return names.allows(provider, model);
    }

    /**
     * Returns the rule that applies to a call. A model's rule applies also to the model's aliases, such as dated versions,
     * that have no rule of their own.
     *
     * @param tier a configured tier
     * @param model the model as requested
     */
    LimitRule rule(Provider provider, QuotaUnit unit, String tier, String model) {
        return rules.get(provider).get(unit).forModel(names, provider, tier, model);
    }

    /** Returns the rule of the provider's calls that use no tokens. */
    LimitRule freeCallRule(Provider provider) {
        return freeCallRules.get(provider);
    }

    /** Returns the rule of calls with keys that the provider has not accepted yet. */
    LimitRule unprovenCallRule(Provider provider) {
        return unprovenCallRules.get(provider);
    }

    /** Returns the output tokens to reserve for a call of a model without a history that sets no maximum. */
    long outputEstimate(Provider provider, String model) {
        long configured = minimumOutputEstimate(provider, model);
        return configured < 0 ? DEFAULT_OUTPUT_ESTIMATE : configured;
    }

    /** Returns the configured lower bound of the output tokens to reserve for a call that sets no maximum; negative if none is. */
    long minimumOutputEstimate(Provider provider, String model) {
        var estimates = outputEstimates.get(provider);
        var configured = names.find(provider, model, estimates::get);
        configured = configured == null ? estimates.get("") : configured;
        return configured == null ? -1 : configured;
    }

    /**
     * Returns the maximum output tokens that a call reserves for each choice: the setting, or a larger configured estimate; of
     * everything that the request allows, {@link TokenUsage#MAX}.
     */
    long maxReservedOutput(Provider provider, String model) {
        return Math.max(maxReservedOutputs.get(provider), minimumOutputEstimate(provider, model));
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

    /** Returns the rules of requests, tokens and budgets, of providers and models, by resource, with their sources. */
    SortedMap<LimitRule, String> rulesWithSources() {
        var sorted = new TreeMap<LimitRule, String>(Comparator.comparing(LimitRule::resource));
        sources.forEach((resource, source) -> sorted.put(byResource.get(resource), source));
        return sorted;
    }

    LimitRule rule(String resource) {
        return byResource.get(resource);
    }
}
