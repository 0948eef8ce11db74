package dev.sluice.llm.policy;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.LimitRule;
import dev.sluice.policy.RuleSource;
import dev.sluice.policy.Tiers;

/** Immutable snapshot of the LLM rules, reservations and prices. */
public final class LlmPolicySnapshot {

    private final ConfigProblems problems;
    private final Tiers tiers;
    private final PriceTable prices;
    private final PricedNames names;
    private final LlmRules rules;
    private final Map<Provider, OutputReservations> outputs = new HashMap<>();

    /**
     * Reads the settings.
     *
     * @param config the settings
     * @param file overrides the settings
     * @param tiers the tiers of this file
     */
    public LlmPolicySnapshot(LlmConfig config, RulesDocument file, Tiers tiers) {
        this.tiers = tiers;
        var providers = new Providers(config);
        names = new PricedNames(providers);
        problems = file.newProblems();
        rules = new LlmRules(names, config, file, tiers, problems);
        var configuredPrices = new HashMap<Provider, Map<String, PriceConfig>>();
        ProviderLimits.readAll(providers, file, tiers, problems).forEach((provider, configured) -> {
            var prefix = "rate-limit.llm." + provider.id() + ".";
            configuredPrices.put(provider, configured.prices());
            rules.add(provider, prefix, configured);
            outputs.put(provider, new OutputReservations(names, provider, prefix, configured, problems));
        });
        prices = PriceTable.of(configuredPrices, problems, property -> RuleSource.configured(file.place(property)));
    }

    /**
     * Returns the problems found in the configuration and the rules file.
     *
     * @return the problems; with any, the snapshot must not be used
     */
    public ConfigProblems problems() {
        return problems;
    }

    /**
     * Returns the tiers.
     *
     * @return the tiers of the settings and the rules file
     */
    public Tiers tiers() {
        return tiers;
    }

    /**
     * Returns the bundled prices, replaced by configured ones.
     *
     * @return the prices, without those of a price list
     */
    public PriceTable prices() {
        return prices;
    }

    /** Returns the names of the models. */
    PricedNames names() {
        return names;
    }

    /**
     * Returns whether a model may be called.
     *
     * @param provider the provider that is called
     * @param model the model's name; empty if it is not known
     * @return true if no list of models is configured
     */
    public boolean allows(Provider provider, String model) {
        return names.allows(provider, model);
    }

    /**
     * Returns what is known of a model, by its own name or else by the one of which it is an alias, such as a dated version.
     *
     * @param <T> type of what is known
     * @param provider the provider that is called
     * @param model the model as requested
     * @param lookup returns what is known of a name; null for nothing
     * @return the first that is found; null if nothing is known
     */
    public <T> T find(Provider provider, String model, Function<String, T> lookup) {
        return names.find(provider, model, lookup);
    }

    /**
     * Returns the rule that applies to a call. A model's rule applies also to the model's aliases, such as dated versions,
     * that have no rule of their own.
     *
     * @param provider the provider that is called
     * @param kind what is limited
     * @param tier a configured tier
     * @param model the model as requested
     * @return the rule
     */
    public LimitRule rule(Provider provider, LimitKind kind, String tier, String model) {
        return rules.rule(provider, kind, tier, model);
    }

    /**
     * Returns all rules that apply to a call.
     *
     * @param provider the provider that is called
     * @param tier a configured tier
     * @param model the model as requested
     * @return the {@linkplain #rule rule} of each kind
     */
    public Map<LimitKind, LimitRule> rules(Provider provider, String tier, String model) {
        var ofCall = new EnumMap<LimitKind, LimitRule>(LimitKind.class);
        for (var kind : LimitKind.values()) {
            ofCall.put(kind, rule(provider, kind, tier, model));
        }
        return ofCall;
    }

    /**
     * Returns the rule of the calls that use no tokens.
     *
     * @param provider the provider that is called
     * @return the rule
     */
    public LimitRule freeCallRule(Provider provider) {
        return rules.freeCallRule(provider);
    }

    /**
     * Returns the rule of calls with keys that the provider has not accepted yet.
     *
     * @param provider the provider that is called
     * @return the rule
     */
    public LimitRule unprovenCallRule(Provider provider) {
        return rules.unprovenCallRule(provider);
    }

    /**
     * Returns the output to reserve for a call of a model without a history that sets no maximum.
     *
     * @param provider the provider that is called
     * @param model the model as requested
     * @return tokens of one choice
     */
    public long outputEstimate(Provider provider, String model) {
        return outputs.get(provider).estimate(model);
    }

    /**
     * Returns the configured lower bound of the output to reserve for a call that sets no maximum.
     *
     * @param provider the provider that is called
     * @param model the model as requested
     * @return tokens of one choice; negative if none is configured
     */
    public long minimumOutputEstimate(Provider provider, String model) {
        return outputs.get(provider).minimumEstimate(model);
    }

    /**
     * Returns the maximum output that a call reserves: the setting, or a larger configured estimate.
     *
     * @param provider the provider that is called
     * @param model the model as requested
     * @return tokens of one choice; {@link TokenUsage#MAX} for everything that the request allows
     */
    public long maxReservedOutput(Provider provider, String model) {
        return outputs.get(provider).maximum(model);
    }

    String describeLimits(Provider provider) {
        return rules.describe(provider);
    }

    /** Returns the rules of requests, tokens and budgets, of providers and models, by resource, with their sources. */
    SortedMap<LimitRule, String> rulesWithSources() {
        return rules.withSources();
    }

    LimitRule rule(String resource) {
        return rules.rule(resource);
    }
}
