package dev.sluice.llm.policy;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
record ProviderLimits(LlmConfig.ProviderConfig configured, ConfiguredLimits limits, Map<String, ConfiguredLimits> models,
        Optional<FallbackPolicy> fallback, Map<String, PriceConfig> prices) {

    private static final String OUTPUT_ESTIMATE = "output-estimate";
    private static final Set<String> LIMIT_KEYS = limitKeysAnd(OUTPUT_ESTIMATE);
    private static final Set<String> KEYS = limitKeysAnd(OUTPUT_ESTIMATE, "models", "fallback", "prices");
    private static final Set<String> PRICE_KEYS = Set.of("input", "cached-input", "cache-write", "cache-write-1h", "output",
            "per-image", "per-million-characters", "per-audio-minute");

    private record FilePrice(Optional<String> input, Optional<String> cachedInput, Optional<String> cacheWrite,
            Optional<String> longCacheWrite, Optional<String> output, Optional<String> perImage,
            Optional<String> perMillionCharacters, Optional<String> perAudioMinute) implements PriceConfig {
    }

    private static Set<String> limitKeysAnd(String... others) {
        return Stream.concat(Arrays.stream(LimitKind.values()).map(LimitKind::settingName), Arrays.stream(others))
                .collect(Collectors.toUnmodifiableSet());
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
        return new ProviderLimits(configured, ConfiguredLimits.of(configured), models(configured), configured.fallback(),
                configured.prices());
    }

    private static Map<String, ConfiguredLimits> models(LlmConfig.ProviderConfig configured) {
        var models = new HashMap<String, ConfiguredLimits>();
        configured.models().forEach((model, limits) -> models.put(model, ConfiguredLimits.of(limits)));
        return models;
    }

    private record Reader(Tiers tiers, ConfigProblems problems) {

        ProviderLimits provider(LlmConfig.ProviderConfig configured, ConfigNode node) {
            node.allowKeys(KEYS, problems);
            var limits = ConfiguredLimits.of(configured).overriddenBy(limits(node));
            var models = models(configured);
            node.entries("models", problems).forEach((model, modelNode) -> {
                modelNode.allowKeys(LIMIT_KEYS, problems);
                models.put(model, limits(modelNode));
            });
            var prices = new HashMap<>(configured.prices());
            node.entries("prices", problems).forEach((model, modelNode) -> prices.put(model, price(modelNode)));
            return new ProviderLimits(configured, limits, models, fallback(node).or(configured::fallback), prices);
        }

        private ConfiguredLimits limits(ConfigNode node) {
            var rates = new EnumMap<LimitKind, Map<String, String>>(LimitKind.class);
            for (var kind : LimitKind.values()) {
                node.child(kind.settingName()).ifPresent(byTier -> rates.put(kind, rates(byTier, kind)));
                rates.putIfAbsent(kind, Map.of());
            }
            return new ConfiguredLimits(rates, outputEstimate(node));
        }

        private Map<String, String> rates(ConfigNode byTier, LimitKind kind) {
            var rates = new HashMap<>(kind.isForAllTiers()
                    ? byTier.stringMapOrString(LimitKind.ALL_TIERS, problems)
                    : byTier.stringMap(problems));
            byTier.children().filter(rate -> !tiers.names().contains(rate.key())).forEach(rate -> {
                rate.addProblem(problems, Tiers.unknown(rate.key(), tiers.names()));
                rates.remove(rate.key());
            });
            return rates;
        }

        private Optional<Long> outputEstimate(ConfigNode node) {
            return node.string(OUTPUT_ESTIMATE, problems).flatMap(text -> {
                try {
                    return Optional.of(Long.valueOf(text.strip()));
                } catch (NumberFormatException e) {
                    node.entries(problems).get(OUTPUT_ESTIMATE).addProblem(problems, "tokens, 0 to " + TokenUsage.MAX);
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
}
