package dev.sluice.llm.policy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

import dev.sluice.api.Rate;
import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocument;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.policy.Tiers;

/** Rates of calls that use no tokens, by tier. The rules file replaces all configured ones. */
final class FreeCallRates {

    /** Key in the rules file, beside the providers. */
    static final String KEY = "free-calls";

    private static final String PROPERTY = "rate-limit.llm." + KEY;
    /** Key of the rate of all other tiers, as long as it is in a map with theirs. */
    private static final String OTHERS = "";

    private FreeCallRates() {
    }

    static Map<String, Rate> read(LlmConfig config, RulesDocument file, Tiers tiers, ConfigProblems problems) {
        var texts = new LinkedHashMap<>(Map.of(OTHERS, config.freeCalls().rate()));
        var node = file.root().entries("llm", problems).get(KEY);
        if (node == null) {
            texts.putAll(config.freeCalls().tiers());
        } else {
            var inFile = new LinkedHashMap<>(node.stringMapOrString(OTHERS, problems));
            if (!inFile.containsKey(OTHERS)) {
                node.allowKeys(Set.copyOf(tiers.names()), problems);
                inFile.keySet().retainAll(tiers.names());
            }
            texts.putAll(inFile);
        }
        var rates = new LinkedHashMap<String, Rate>();
        texts.forEach((tier, text) -> {
            if (node == null && !tier.equals(OTHERS) && !tiers.isKnown(tier)) {
                problems.add(PROPERTY + '.' + tier, text, tiers.unknown(tier));
                return;
            }
            try {
                rates.put(tier, Rate.parse(text));
            } catch (IllegalArgumentException e) {
                problems.add(tier.equals(OTHERS) ? PROPERTY : PROPERTY + '.' + tier, text,
                        e.getMessage() + "; allowed: " + Rate.SYNTAX);
            }
        });
        var others = rates.containsKey(OTHERS) ? rates.remove(OTHERS) : Rate.UNLIMITED; // the problem prevents its use
        tiers.names().forEach(tier -> rates.putIfAbsent(tier, others));
        return rates;
    }
}
