package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.Provider;

/**
 * One {@link dev.sluice.llm.LlmRateLimited}, read.
 *
 * @param model empty where none is named
 * @param tokens about how many an invocation takes; -1 where nothing is said
 * @param userAt the parameter that names the user; -1 where none does
 * @param tierAt the parameter that names the tier; -1 where none does
 */
record LlmMethod(Provider provider, String model, long tokens, int userAt, int tierAt) {

    @Nullable
    String user(@Nullable Object[] parameters) {
        return text(parameters, userAt);
    }

    @Nullable
    String tier(@Nullable Object[] parameters) {
        return text(parameters, tierAt);
    }

    private static @Nullable String text(@Nullable Object[] parameters, int at) {
        return at < 0 || parameters[at] == null ? null : parameters[at].toString();
    }

    /** Nobody has said how many of the tokens go in: all of them may be of the dearer kind. */
    LlmCallEstimate ask(LlmIdentity caller) {
        return new LlmCallEstimate(provider, caller.identifier(), caller.tier(), model, 0, tokens);
    }
}
