package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.Provider;

/**
 * Parsed {@link dev.sluice.llm.LlmRateLimited} of one method.
 *
 * @param model empty if none is named
 * @param tokens expected tokens of one invocation; -1 if not specified
 * @param userIndex index of the parameter that contains the user; -1 if there is none
 * @param tierIndex index of the parameter that contains the tier; -1 if there is none
 */
record LlmMethod(Provider provider, String model, long tokens, int userIndex, int tierIndex) {

    @Nullable
    String user(@Nullable Object[] parameters) {
        return text(parameters, userIndex);
    }

    @Nullable
    String tier(@Nullable Object[] parameters) {
        return text(parameters, tierIndex);
    }

    private static @Nullable String text(@Nullable Object[] parameters, int index) {
        return index < 0 || parameters[index] == null ? null : parameters[index].toString();
    }

    /**
     * Estimates one invocation. The split into input and output is unknown, so all tokens are taken for output: it is
     * usually the more expensive kind.
     */
    LlmCallEstimate estimate(LlmIdentity identity) {
        return new LlmCallEstimate(provider, identity.identifier(), identity.tier(), model, 0, tokens)
                .withChain(identity.chain());
    }
}
