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

    /** Returns the most specific pattern of {@link #models} that matches a model: the longest one; null if none does. */
    public @Nullable String modelPattern(String model) {
        if (models.containsKey(model)) {
            return model;
        }
        String longest = null;
        for (var pattern : models.keySet()) {
            if ((longest == null || pattern.length() > longest.length()
                    || pattern.length() == longest.length() && pattern.compareTo(longest) < 0)
                    && ModelPattern.matches(pattern, model)) {
                longest = pattern;
            }
        }
        return longest;
    }

    /** Returns whether there is no limit. */
    public boolean isEmpty() {
        return api == null && llm.isEmpty() && endpoints.isEmpty() && models.isEmpty();
    }
}
