package dev.sluice.llm.policy;

import java.util.HashMap;
import java.util.Map;

import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Output tokens that the calls of a provider reserve: {@code output-estimate}, {@code max-reserved-output} and {@code reserve}.
 * Immutable.
 */
final class OutputReservations {

    private static final long DEFAULT_ESTIMATE = 4096;

    private final PricedNames names;
    private final Provider provider;
    /** Configured estimates by normalized model; that of the provider has an empty name. */
    private final Map<String, Long> estimates;
    private final long maximum;

    /** @param prefix of the provider's settings */
    OutputReservations(PricedNames names, Provider provider, String prefix, ProviderLimits configured,
            ConfigProblems problems) {
        this.names = names;
        this.provider = provider;
        var byModel = new HashMap<String, Long>();
        configured.limits().outputEstimate().ifPresent(tokens -> addEstimate(prefix, "", tokens, byModel, problems));
        configured.models().forEach((model, own) -> own.outputEstimate().ifPresent(
                tokens -> addEstimate(prefix + "models.\"" + model + "\".", ModelPattern.normalize(model), tokens, byModel,
                        problems)));
        estimates = Map.copyOf(byModel);
        maximum = maximum(prefix, configured.configured(), problems);
    }

    private static void addEstimate(String prefix, String model, long tokens, Map<String, Long> estimates,
            ConfigProblems problems) {
        if (tokens < 0 || tokens > TokenUsage.MAX) {
            problems.add(prefix + "output-estimate", Long.toString(tokens), "tokens, 0 to " + TokenUsage.MAX);
        } else {
            estimates.put(model, tokens);
        }
    }

    private static long maximum(String prefix, LlmConfig.ProviderConfig configured, ConfigProblems problems) {
        long tokens = configured.maxReservedOutput();
        if (tokens < 1 || tokens > TokenUsage.MAX) {
            problems.add(prefix + "max-reserved-output", Long.toString(tokens), "tokens, 1 to " + TokenUsage.MAX);
        }
        return configured.reserve() == LlmConfig.Reserve.FULL ? TokenUsage.MAX : tokens;
    }

    /** Returns the output tokens to reserve for a call of a model without a history that sets no maximum. */
    long estimate(String model) {
        long configured = minimumEstimate(model);
        return configured < 0 ? DEFAULT_ESTIMATE : configured;
    }

    /** Returns the configured lower bound of the output tokens to reserve for a call that sets no maximum; negative if none is. */
    long minimumEstimate(String model) {
        if (estimates.isEmpty()) {
            return -1;
        }
        var configured = names.find(provider, model, name -> estimates.get(ModelPattern.normalize(name)));
        configured = configured == null ? estimates.get("") : configured;
        return configured == null ? -1 : configured;
    }

    /**
     * Returns the maximum output tokens that a call reserves for each choice: the setting, or a larger configured estimate; of
     * everything that the request allows, {@link TokenUsage#MAX}.
     */
    long maximum(String model) {
        return Math.max(maximum, minimumEstimate(model));
    }
}
