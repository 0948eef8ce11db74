package dev.sluice.llm.limit;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.config.ConfigNode;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.pricing.PriceConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.Tiers;

/** What the settings say of a provider, where the file of rows does not say otherwise. */
record FileProviderConfig(LlmConfig.ProviderSettings settings, Rows rows, Map<String, LlmConfig.Rows> models,
        Optional<FallbackPolicy> fallback, Map<String, PriceConfig> prices) implements LlmConfig.ProviderSettings {

    private static final String PROVIDERS = Arrays.stream(Provider.values()).map(Provider::id).sorted()
            .collect(Collectors.joining(", "));
    private static final Set<String> ROWS = Set.of("requests", "tokens", "budget", "output-estimate");
    private static final Set<String> KEYS = Set.of("requests", "tokens", "budget", "output-estimate", "models", "fallback",
            "prices");
    private static final Set<String> PRICE = Set.of("input", "cached-input", "cache-write", "cache-write-1h", "output");

    /** Rows of a provider or a model. */
    record Rows(Map<String, String> requests, Map<String, String> tokens, Map<String, String> budget,
            Optional<Long> outputEstimate) implements LlmConfig.Rows {
    }

    private record FilePrice(Optional<String> input, Optional<String> cachedInput, Optional<String> cacheWrite,
            Optional<String> longCacheWrite, Optional<String> output) implements PriceConfig {
    }

    /** All providers. */
    static Map<Provider, LlmConfig.ProviderSettings> all(LlmConfig settings, RulesDocument file, Tiers tiers,
            ConfigProblems problems) {
        var parts = file.root().entries("llm", problems);
        var all = new EnumMap<Provider, LlmConfig.ProviderSettings>(Provider.class);
        for (var provider : Provider.values()) {
            var part = parts.get(provider.id());
            var configured = settings.of(provider);
            all.put(provider, part == null ? configured : new Reader(tiers, problems).provider(configured, part));
        }
        parts.forEach((name, part) -> {
            if (Provider.of(name) == null) {
                part.addProblem(problems, "an unknown provider; allowed: " + PROVIDERS);
            }
        });
        return all;
    }

    private record Reader(Tiers tiers, ConfigProblems problems) {

        FileProviderConfig provider(LlmConfig.ProviderSettings configured, ConfigNode part) {
            part.allowKeys(KEYS, problems);
            var rows = rows(part);
            var models = new HashMap<>(configured.models());
            part.entries("models", problems).forEach((model, of) -> {
                of.allowKeys(ROWS, problems);
                models.put(model, rows(of).get(Map.of(), Map.of(), Map.of(), Optional.empty()));
            });
            var prices = new HashMap<>(configured.prices());
            part.entries("prices", problems).forEach((model, of) -> prices.put(model, price(of)));
            return new FileProviderConfig(configured,
                    rows.get(configured.requests(), configured.tokens(), configured.budget(), configured.outputEstimate()),
                    models, fallback(part).or(configured::fallback), prices);
        }

        private Said rows(ConfigNode part) {
            return new Said(rates(part, "requests"), rates(part, "tokens"), rates(part, "budget"), estimate(part));
        }

        private Optional<Map<String, String>> rates(ConfigNode part, String name) {
            part.entries(name, problems).forEach((tier, rate) -> {
                if (!tiers.names().contains(tier)) {
                    rate.addProblem(problems, "an unknown tier; allowed: " + String.join(", ", tiers.names()));
                }
            });
            return part.stringMap(name, problems);
        }

        private Optional<Long> estimate(ConfigNode part) {
            return part.string("output-estimate", problems).flatMap(text -> {
                try {
                    return Optional.of(Long.valueOf(text.strip()));
                } catch (NumberFormatException e) {
                    part.entries(problems).get("output-estimate").addProblem(problems, "tokens, 0 to " + TokenUsage.MAX);
                    return Optional.empty();
                }
            });
        }

        private Optional<FallbackPolicy> fallback(ConfigNode part) {
            return part.string("fallback", problems).flatMap(text -> {
                var fallback = FallbackPolicy.fromName(text);
                if (fallback.isEmpty()) {
                    part.entries(problems).get("fallback").addProblem(problems, FallbackPolicy.ALLOWED_VALUES);
                }
                return fallback;
            });
        }

        private PriceConfig price(ConfigNode part) {
            part.allowKeys(PRICE, problems);
            return new FilePrice(part.string("input", problems), part.string("cached-input", problems),
                    part.string("cache-write", problems), part.string("cache-write-1h", problems),
                    part.string("output", problems));
        }
    }

    /** What a part says of rows; each kind that it names takes the place of all that the settings say of that kind. */
    private record Said(Optional<Map<String, String>> requests, Optional<Map<String, String>> tokens,
            Optional<Map<String, String>> budget, Optional<Long> estimate) {

        Rows get(Map<String, String> otherRequests, Map<String, String> otherTokens, Map<String, String> otherBudget,
                Optional<Long> otherEstimate) {
            return new Rows(requests.orElse(otherRequests), tokens.orElse(otherTokens), budget.orElse(otherBudget),
                    estimate.or(() -> otherEstimate));
        }
    }

    @Override
    public Map<String, String> requests() {
        return rows.requests();
    }

    @Override
    public Map<String, String> tokens() {
        return rows.tokens();
    }

    @Override
    public Map<String, String> budget() {
        return rows.budget();
    }

    @Override
    public Optional<Long> outputEstimate() {
        return rows.outputEstimate();
    }

    @Override
    public Optional<String> baseUrl() {
        return settings.baseUrl();
    }

    @Override
    public Optional<String> apiKey() {
        return settings.apiKey();
    }

    @Override
    public boolean passThrough() {
        return settings.passThrough();
    }

    @Override
    public Optional<List<String>> paths() {
        return settings.paths();
    }
}
