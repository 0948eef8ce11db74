package dev.sluice.identity.chain;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;

/**
 * Rates of calls of language models. Immutable.
 *
 * @param requests rate of calls; null if there is none
 * @param tokens rate of tokens; null if there is none
 * @param budget rate of billionths of a US dollar; null if there is none
 */
public record LlmRates(@Nullable Rate requests, @Nullable Rate tokens, @Nullable Rate budget) {

    /** No limit. */
    public static final LlmRates NONE = new LlmRates(null, null, null);

    /** Returns whether there is no limit. */
    public boolean isEmpty() {
        return requests == null && tokens == null && budget == null;
    }
}
