package dev.sluice.llm.client;

import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.Provider;

/**
 * One {@link dev.sluice.llm.LlmRateLimited}, read.
 *
 * @param model empty where none is named
 * @param tokens about how many an invocation takes; -1 where nothing is said
 * @param userIndex the parameter that names the user; -1 where none does
 * @param tierIndex the parameter that names the tier; -1 where none does
 */
record LlmMethod(Provider provider, String model, long tokens, int userIndex, int tierIndex) {

    String user(Object[] parameters) {
        return text(parameters, userIndex);
    }

    String tier(Object[] parameters) {
        return text(parameters, tierIndex);
    }

    private static String text(Object[] parameters, int index) {
        return index < 0 || parameters[index] == null ? null : parameters[index].toString();
    }

    /** Nobody has said how many of the tokens go in: all of them may be of the dearer kind. */
    LlmCallEstimate estimate(LlmIdentity identity) {
        return new LlmCallEstimate(provider, identity.identifier(), identity.tier(), model, 0, tokens);
    }
}
