package dev.sluice.llm.policy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import dev.sluice.api.Identifiers;
import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.LimitRule;
import dev.sluice.policy.RuleSource;
import dev.sluice.policy.Tiers;

/**
 * Rules of LLM calls by their resources: {@code llm:openai}, {@code llm:openai:tokens}, {@code llm:openai:input-tokens},
 * {@code llm:openai:output-tokens}, {@code llm:openai:budget}, {@code llm:openai:concurrency}; {@code llm:openai:free} for calls that use no tokens;
 * {@code llm:openai:unproven} for calls with keys that the provider has not accepted yet. A model's own rule
 * ({@code llm:openai/gpt-4o}, {@code llm:openai:tokens/gpt-4o}) replaces the provider's for the tiers that it names. Immutable once
 * all providers have been added.
 */
final class LlmRules {

    /** Rules of one kind: the provider's rule and those of its models, by their normalized names. */
    private record KindRules(LimitRule providerRule, Map<String, LimitRule> modelRules) {

        LimitRule forModel(PricedNames names, Provider provider, String tier, String model) {
            if (modelRules.isEmpty()) {
                return providerRule;
            }
            var modelRule = names.find(provider, model, name -> modelRules.get(ModelPattern.normalize(name)));
            return modelRule != null && modelRule.rate(tier) != null ? modelRule : providerRule;
        }
    }

    private static final String SAME_MODEL = "another rule is of the same model; case and spaces make no difference";

    private final PricedNames names;
    private final RulesDocument file;
    private final Tiers tiers;
    private final ConfigProblems problems;
    private final Map<String, Rate> freeCalls;
    private final Map<String, Rate> unprovenCalls;
    private final Map<Provider, Map<LimitKind, KindRules>> rules = new HashMap<>();
    private final Map<Provider, LimitRule> freeCallRules = new HashMap<>();
    private final Map<Provider, LimitRule> unprovenCallRules = new HashMap<>();
    private final Map<String, LimitRule> byResource = new HashMap<>();
    /** Sources of the rules of requests, tokens and budgets, by resource. */
    private final Map<String, String> sources = new HashMap<>();

    /** @param problems receives those of the rates */
    LlmRules(PricedNames names, LlmConfig config, RulesDocument file, Tiers tiers, ConfigProblems problems) {
        this.names = names;
        this.file = file;
        this.tiers = tiers;
        this.problems = problems;
        this.freeCalls = FreeCallRates.read(config, file, tiers, problems);
        this.unprovenCalls = unprovenCallRates(config);
    }

    /**
     * Adds the rules of a provider.
     *
     * @param prefix of its settings
     */
    void add(Provider provider, String prefix, ProviderLimits configured) {
        var byKind = new EnumMap<LimitKind, KindRules>(LimitKind.class);
        for (var kind : LimitKind.values()) {
            var models = new HashMap<String, LimitRule>();
            configured.models().forEach((model, own) -> {
                var modelPrefix = prefix + "models.\"" + model + "\".";
                var rates = rates(modelPrefix, own, kind);
                if (!rates.isEmpty()) {
                    var resource = resource(provider, kind) + '/' + model;
                    sources.put(resource, source(modelPrefix + kind.settingName(), rates));
                    if (models.put(ModelPattern.normalize(model), rule(resource, rates, configured)) != null) {
                        problems.add(modelPrefix + kind.settingName(), "(a rule)", SAME_MODEL);
                    }
                }
            });
            var rates = withDefaults(provider, rates(prefix, configured.limits(), kind), kind);
            byKind.put(kind, new KindRules(rule(resource(provider, kind), rates, configured), Map.copyOf(models)));
        }
        rules.put(provider, byKind);
        freeCallRules.put(provider, rule("llm:" + provider.id() + ":free", freeCalls, configured));
        unprovenCallRules.put(provider, rule("llm:" + provider.id() + ":unproven", unprovenCalls, configured));
    }

    /**
     * Returns the resource of a provider's rule; a model's rule appends {@code /} and the model's name.
     * <p>
     * A provider's id contains no slash, so the first slash of a resource ends the kind, and all that follows is the model,
     * verbatim: a model called {@code x:budget} has the resources {@code llm:openai/x:budget} and
     * {@code llm:openai:budget/x:budget}, and no other pair of kind and model has them. The unit of a resource must not be
     * derived from its name.
     */
    private static String resource(Provider provider, LimitKind kind) {
        return "llm:" + provider.id() + kind.resourceSuffix();
    }

    private LimitRule rule(String resource, Map<String, Rate> rates, ProviderLimits provider) {
        if (!Identifiers.isValid(resource)) {
            problems.add("rate-limit.llm", resource, "a model's name, of at most 200 characters");
        }
        var rule = new LimitRule(resource, rates, provider.fallback().orElse(null));
        byResource.put(resource, rule);
        return rule;
    }

    /** @param rates the configured rates */
    private String source(String property, Map<String, Rate> rates) {
        boolean builtIn = file.place(property).isEmpty()
                && rates.entrySet().stream().allMatch(rate -> BuiltInRates.contains(rate.getKey(), rate.getValue()));
        return builtIn ? RuleSource.BUILT_IN : RuleSource.configured(file.place(property));
    }

    private Map<String, Rate> rates(String prefix, ConfiguredLimits configured, LimitKind kind) {
        var name = kind.settingName();
        var rates = new LinkedHashMap<String, Rate>();
        configured.rates().get(kind).forEach((tier, text) -> {
            var property = tier.equals(LimitKind.ALL_TIERS) ? prefix + name : prefix + name + '.' + tier;
            try {
                var rate = kind.parse(text);
                if (tier.equals(LimitKind.ALL_TIERS)) {
                    tiers.names().forEach(each -> rates.putIfAbsent(each, rate));
                    return;
                }
                if (!tiers.isKnown(tier) && !BuiltInRates.contains(tier, rate)) {
                    problems.add(property, text, tiers.unknown(tier));
                }
                rates.put(tier, rate);
            } catch (IllegalArgumentException e) {
                problems.add(property, text, e.getMessage() + "; allowed: " + kind.syntax());
            }
        });
        return rates;
    }

    /** Adds the rates of the tiers that are not configured. All but requests are unlimited for them. */
    private Map<String, Rate> withDefaults(Provider provider, Map<String, Rate> rates, LimitKind kind) {
        boolean configured = !rates.isEmpty();
        sources.put(resource(provider, kind), source("rate-limit.llm." + provider.id() + '.' + kind.settingName(), rates));
        for (var tier : tiers.names()) {
            rates.computeIfAbsent(tier,
                    name -> kind == LimitKind.REQUESTS
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

    /**
     * Returns the rule that applies to a call. A model's rule applies also to the model's aliases, such as dated versions,
     * that have no rule of their own.
     *
     * @param tier a configured tier
     * @param model the model as requested
     */
    LimitRule rule(Provider provider, LimitKind kind, String tier, String model) {
        return rules.get(provider).get(kind).forModel(names, provider, tier, model);
    }

    /** Returns the rule of the provider's calls that use no tokens. */
    LimitRule freeCallRule(Provider provider) {
        return freeCallRules.get(provider);
    }

    /** Returns the rule of calls with keys that the provider has not accepted yet. */
    LimitRule unprovenCallRule(Provider provider) {
        return unprovenCallRules.get(provider);
    }

    /** Returns what is limited, for humans. */
    String describe(Provider provider) {
        var limited = new ArrayList<String>();
        rules.get(provider).forEach((kind, kindRules) -> {
            if (Stream.concat(Stream.of(kindRules.providerRule()), kindRules.modelRules().values().stream())
                    .flatMap(rule -> rule.rates().values().stream())
                    .anyMatch(rate -> rate != Rate.UNLIMITED)) {
                limited.add(kind.settingName());
            }
        });
        return limited.isEmpty() ? "unlimited" : String.join(", ", limited);
    }

    /** Returns the rules of requests, tokens and budgets, of providers and models, by resource, with their sources. */
    SortedMap<LimitRule, String> withSources() {
        var sorted = new TreeMap<LimitRule, String>(Comparator.comparing(LimitRule::resource));
        sources.forEach((resource, source) -> sorted.put(byResource.get(resource), source));
        return sorted;
    }

    LimitRule rule(String resource) {
        return byResource.get(resource);
    }
}
