package dev.sluice.llm.policy;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.Tiers;

/**
 * Limits and prices of a provider: the configuration with the overrides of the rules file.
 *
 * @param configured the configuration, for the settings that the file cannot override
 * @param limits of the provider
 * @param models limits of its models
 * @param fallback fallback policy of its rules
 * @param prices prices of its models
 */
record ProviderLimits(LlmConfig.ProviderConfig configured, LlmConfig.LimitConfig limits,
        Map<String, LlmConfig.LimitConfig> models, Optional<FallbackPolicy> fallback, Map<String, PriceConfig> prices) {

    private static final Set<String> LIMIT_KEYS = Set.of("requests", "tokens", "budget", "output-estimate");
    private static final Set<String> KEYS = Set.of("requests", "tokens", "budget", "output-estimate", "models", "fallback",
            "prices");
    private static final Set<String> PRICE_KEYS = Set.of("input", "cached-input", "cache-write", "cache-write-1h", "output",
            "per-image", "per-million-characters", "per-audio-minute");

    private record Limits(Map<String, String> requests, Map<String, String> tokens, Map<String, String> budget,
            Optional<Long> outputEstimate) implements LlmConfig.LimitConfig {
    }

    private record FilePrice(Optional<String> input, Optional<String> cachedInput, Optional<String> cacheWrite,
            Optional<String> longCacheWrite, Optional<String> output, Optional<String> perImage,
            Optional<String> perMillionCharacters, Optional<String> perAudioMinute) implements PriceConfig {
    }

    /** Reads the limits of all providers. */
    static Map<Provider, ProviderLimits> readAll(Providers providers, RulesDocument file, Tiers tiers,
            ConfigProblems problems) {
        var nodes = file.root().entries("llm", problems);
        var merged = new HashMap<Provider, ProviderLimits>();
        for (var provider : providers.all()) {
            var node = nodes.get(provider.id());
            var configured = providers.config(provider);
            merged.put(provider, node == null ? of(configured) : new Reader(tiers, problems).provider(configured, node));
        }
        nodes.forEach((name, node) -> {
            if (providers.find(name) == null && !name.equals(FreeCallRates.KEY)) {
                node.addProblem(problems,
                        "an unknown provider; allowed: " + providers.allowedIds() + ", and " + FreeCallRates.KEY
                                + "; a provider is added by its type: rate-limit.llm." + name + ".type");
            }
        });
        return merged;
    }

    private static ProviderLimits of(LlmConfig.ProviderConfig configured) {
        return new ProviderLimits(configured, configured, configured.models(), configured.fallback(), configured.prices());
    }

    private record Reader(Tiers tiers, ConfigProblems problems) {

        ProviderLimits provider(LlmConfig.ProviderConfig configured, ConfigNode node) {
            node.allowKeys(KEYS, problems);
            var limits = limits(node);
            var models = new HashMap<>(configured.models());
            node.entries("models", problems).forEach((model, modelNode) -> {
                modelNode.allowKeys(LIMIT_KEYS, problems);
                models.put(model, limits(modelNode).withFallback(Map.of(), Map.of(), Map.of(), Optional.empty()));
            });
            var prices = new HashMap<>(configured.prices());
            node.entries("prices", problems).forEach((model, modelNode) -> prices.put(model, price(modelNode)));
            return new ProviderLimits(configured,
                    limits.withFallback(configured.requests(), configured.tokens(), configured.budget(),
                            configured.outputEstimate()),
                    models, fallback(node).or(configured::fallback), prices);
        }

        private ConfiguredLimits limits(ConfigNode node) {
            return new ConfiguredLimits(rates(node, "requests"), rates(node, "tokens"), rates(node, "budget"),
                    outputEstimate(node));
        }

        private Optional<Map<String, String>> rates(ConfigNode node, String name) {
            node.entries(name, problems).forEach((tier, rate) -> {
                if (!tiers.names().contains(tier)) {
                    rate.addProblem(problems, "an unknown tier; allowed: " + String.join(", ", tiers.names()));
                }
            });
            return node.stringMap(name, problems);
        }

        private Optional<Long> outputEstimate(ConfigNode node) {
            return node.string("output-estimate", problems).flatMap(text -> {
                try {
                    return Optional.of(Long.valueOf(text.strip()));
                } catch (NumberFormatException e) {
                    node.entries(problems).get("output-estimate").addProblem(problems, "tokens, 0 to " + TokenUsage.MAX);
                    return Optional.empty();
                }
            });
        }

        private Optional<FallbackPolicy> fallback(ConfigNode node) {
            return node.string("fallback", problems).flatMap(text -> {
                var fallback = FallbackPolicy.fromName(text);
                if (fallback.isEmpty()) {
                    node.entries(problems).get("fallback").addProblem(problems, FallbackPolicy.ALLOWED_VALUES);
                }
                return fallback;
            });
        }

        private PriceConfig price(ConfigNode node) {
            node.allowKeys(PRICE_KEYS, problems);
            return new FilePrice(node.string("input", problems), node.string("cached-input", problems),
                    node.string("cache-write", problems), node.string("cache-write-1h", problems),
                    node.string("output", problems), node.string("per-image", problems),
                    node.string("per-million-characters", problems), node.string("per-audio-minute", problems));
        }
    }

    /** Limits given in a node of the file. A tier that the node does not name keeps its configured limit. */
    private record ConfiguredLimits(Optional<Map<String, String>> requests, Optional<Map<String, String>> tokens,
            Optional<Map<String, String>> budget, Optional<Long> outputEstimate) {

        Limits withFallback(Map<String, String> otherRequests, Map<String, String> otherTokens, Map<String, String> otherBudget,
                Optional<Long> otherEstimate) {
            return new Limits(overlay(otherRequests, requests), overlay(otherTokens, tokens), overlay(otherBudget, budget),
                    outputEstimate.or(() -> otherEstimate));
        }

        private static Map<String, String> overlay(Map<String, String> configured, Optional<Map<String, String>> file) {
            if (file.isEmpty()) {
                return configured;
            }
            var rates = new HashMap<>(configured);
            rates.putAll(file.get());
            return rates;
        }
    }
}
