package dev.sluice.llm.limit;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.Tiers;

/** Configuration of a provider with the overrides of the rules file. */
record FileProviderConfig(LlmConfig.ProviderConfig configured, Limits limits, Map<String, LlmConfig.LimitConfig> models,
        Optional<FallbackPolicy> fallback, Map<String, PriceConfig> prices) implements LlmConfig.ProviderConfig {

    private static final Set<String> LIMIT_KEYS = Set.of("requests", "tokens", "budget", "output-estimate");
    private static final Set<String> KEYS = Set.of("requests", "tokens", "budget", "output-estimate", "models", "fallback",
            "prices");
    private static final Set<String> PRICE_KEYS = Set.of("input", "cached-input", "cache-write", "cache-write-1h", "output",
            "per-image", "per-million-characters", "per-audio-minute");

    /** Limits of a provider or a model. */
    record Limits(Map<String, String> requests, Map<String, String> tokens, Map<String, String> budget,
            Optional<Long> outputEstimate) implements LlmConfig.LimitConfig {
    }

    private record FilePrice(Optional<String> input, Optional<String> cachedInput, Optional<String> cacheWrite,
            Optional<String> longCacheWrite, Optional<String> output, Optional<String> perImage,
            Optional<String> perMillionCharacters, Optional<String> perAudioMinute) implements PriceConfig {
    }

    /** Reads the overrides of all providers. */
    static Map<Provider, LlmConfig.ProviderConfig> readAll(Providers providers, RulesDocument file, Tiers tiers,
            ConfigProblems problems) {
        var nodes = file.root().entries("llm", problems);
        var merged = new HashMap<Provider, LlmConfig.ProviderConfig>();
        for (var provider : providers.all()) {
            var node = nodes.get(provider.id());
            var configured = providers.config(provider);
            merged.put(provider, node == null ? configured : new Reader(tiers, problems).provider(configured, node));
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

    private record Reader(Tiers tiers, ConfigProblems problems) {

        FileProviderConfig provider(LlmConfig.ProviderConfig configured, ConfigNode node) {
            node.allowKeys(KEYS, problems);
            var limits = limits(node);
            var models = new HashMap<>(configured.models());
            node.entries("models", problems).forEach((model, modelNode) -> {
                modelNode.allowKeys(LIMIT_KEYS, problems);
                models.put(model, limits(modelNode).withFallback(Map.of(), Map.of(), Map.of(), Optional.empty()));
            });
            var prices = new HashMap<>(configured.prices());
            node.entries("prices", problems).forEach((model, modelNode) -> prices.put(model, price(modelNode)));
            return new FileProviderConfig(configured,
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

    @Override
    public Map<String, String> requests() {
        return limits.requests();
    }

    @Override
    public Map<String, String> tokens() {
        return limits.tokens();
    }

    @Override
    public Map<String, String> budget() {
        return limits.budget();
    }

    @Override
    public Optional<Long> outputEstimate() {
        return limits.outputEstimate();
    }

    @Override
    public Optional<ProviderType> type() {
        return configured.type();
    }

    @Override
    public Optional<List<String>> allowedModels() {
        return configured.allowedModels();
    }

    @Override
    public Optional<String> authHeader() {
        return configured.authHeader();
    }

    @Override
    public Optional<String> authPrefix() {
        return configured.authPrefix();
    }

    @Override
    public Map<String, String> headers() {
        return configured.headers();
    }

    @Override
    public Map<String, String> query() {
        return configured.query();
    }

    @Override
    public boolean askUsage() {
        return configured.askUsage();
    }

    @Override
    public Optional<String> priceList() {
        return configured.priceList();
    }

    @Override
    public Map<String, String> aliases() {
        return configured.aliases();
    }

    @Override
    public Optional<Duration> timeout() {
        return configured.timeout();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return configured.connectTimeout();
    }

    @Override
    public OptionalInt maxConnections() {
        return configured.maxConnections();
    }

    @Override
    public Optional<String> baseUrl() {
        return configured.baseUrl();
    }

    @Override
    public Optional<String> tlsConfigurationName() {
        return configured.tlsConfigurationName();
    }

    @Override
    public Optional<String> apiKey() {
        return configured.apiKey();
    }

    @Override
    public boolean passThrough() {
        return configured.passThrough();
    }

    @Override
    public Optional<List<String>> paths() {
        return configured.paths();
    }

    @Override
    public long maxReservedOutput() {
        return configured.maxReservedOutput();
    }

    @Override
    public LlmConfig.Reserve reserve() {
        return configured.reserve();
    }
}
