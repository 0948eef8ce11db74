package dev.sluice.llm.limit;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.policy.Tiers;

/** Rates of calls that use no tokens, by tier. The rules file replaces all configured ones. */
final class FreeCallRates {

    /** Key in the rules file, beside the providers. */
    static final String KEY = "free-calls";

    private static final String PROPERTY = "rate-limit.llm." + KEY;

    private FreeCallRates() {
    }

    /** @param unknownTiers receives the tiers that rates are configured for */
    static Map<String, Rate> read(LlmConfig config, RulesDocument file, Tiers tiers, Set<String> unknownTiers,
            ConfigProblems problems) {
        var node = file.root().entries("llm", problems).get(KEY);
        var texts = node == null ? config.freeCalls() : node.stringMapOrString(LlmConfig.ALL_TIERS, problems);
        if (node != null && !texts.containsKey(LlmConfig.ALL_TIERS)) {
            node.allowKeys(Set.copyOf(tiers.names()), problems);
        }
        var parsed = new LinkedHashMap<String, Rate>();
        texts.forEach((tier, text) -> {
            try {
                parsed.put(tier, Rate.parse(text));
            } catch (IllegalArgumentException e) {
                problems.add(tier.equals(LlmConfig.ALL_TIERS) ? PROPERTY : PROPERTY + '.' + tier, text,
                        e.getMessage() + "; allowed: " + Rate.SYNTAX);
            }
        });
        var others = parsed.getOrDefault(LlmConfig.ALL_TIERS, Rate.parse(LlmConfig.FREE_CALLS));
        parsed.remove(LlmConfig.ALL_TIERS);
        unknownTiers.addAll(parsed.keySet());
        tiers.names().forEach(tier -> parsed.putIfAbsent(tier, others));
        return parsed;
    }
}
