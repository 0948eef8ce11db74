package dev.sluice.llm.policy;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

import dev.sluice.llm.config.LlmConfig;

/**
 * Limits of a provider or a model, as configured.
 *
 * @param rates rates by tier of each kind
 * @param outputEstimate output tokens that a call that sets no maximum reserves at least; empty if none is configured
 */
record ConfiguredLimits(Map<LimitKind, Map<String, String>> rates, Optional<Long> outputEstimate) {

    static ConfiguredLimits of(LlmConfig.LimitConfig config) {
        var rates = new EnumMap<LimitKind, Map<String, String>>(LimitKind.class);
        Arrays.stream(LimitKind.values()).forEach(kind -> rates.put(kind, kind.rates(config)));
        return new ConfiguredLimits(rates, config.outputEstimate());
    }

    /**
     * Returns these limits with those of the rules file in their place. A tier that the file does not name keeps its limit, unless the
     * file has one for all tiers.
     */
    ConfiguredLimits overriddenBy(ConfiguredLimits file) {
        var merged = new EnumMap<LimitKind, Map<String, String>>(LimitKind.class);
        rates.forEach((kind, own) -> {
            var inFile = file.rates().get(kind);
            var byTier = new HashMap<>(inFile.containsKey(LimitKind.ALL_TIERS) ? Map.<String, String>of() : own);
            byTier.putAll(inFile);
            merged.put(kind, byTier);
        });
        return new ConfiguredLimits(merged, file.outputEstimate().or(() -> outputEstimate));
    }
}
