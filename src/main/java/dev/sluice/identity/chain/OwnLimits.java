package dev.sluice.identity.chain;

import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;

/**
 * Limits of one level, in addition to the rule of the caller's tier. Immutable.
 *
 * @param api rate of all API requests together; null if there is none
 * @param llm rates of all calls of language models together
 * @param endpoints rate of each endpoint, by the endpoint as configured: {@code /path} or {@code METHOD /path}
 * @param models rates of models, by {@link ModelPattern}; the most specific one that matches applies
 */
public record OwnLimits(@Nullable Rate api, LlmRates llm, Map<String, Rate> endpoints, Map<String, LlmRates> models) {

    /** No limits. */
    public static final OwnLimits NONE = new OwnLimits(null, LlmRates.NONE, Map.of(), Map.of());

    public OwnLimits {
        endpoints = Map.copyOf(endpoints);
        models = Map.copyOf(models);
    }

    /** Returns the most specific pattern of {@link #models} that matches a model: its name, or else the longest one; null if none does. */
    public @Nullable String modelPattern(String model) {
        var name = ModelPattern.normalize(model);
        String best = null;
        for (var pattern : models.keySet()) {
            if (ModelPattern.matches(ModelPattern.normalize(pattern), name)
                    && (best == null || isMoreSpecific(pattern, best))) {
                best = pattern;
            }
        }
        return best;
    }

    /** Compares two patterns that match one name: a pattern with an asterisk may be as long as the name itself. */
    private static boolean isMoreSpecific(String pattern, String other) {
        boolean exact = pattern.indexOf('*') < 0;
        if (exact != other.indexOf('*') < 0) {
            return exact;
        }
        return pattern.length() != other.length() ? pattern.length() > other.length() : pattern.compareTo(other) < 0;
    }

    /** Returns whether there is no limit. */
    public boolean isEmpty() {
        return api == null && llm.isEmpty() && endpoints.isEmpty() && models.isEmpty();
    }
}
