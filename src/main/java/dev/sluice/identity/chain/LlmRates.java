package dev.sluice.identity.chain;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;

/**
 * Rates of calls of language models. Immutable.
 *
 * @param requests rate of calls; null if there is none
 * @param tokens rate of tokens; null if there is none
 * @param budget rate of billionths of a US dollar; null if there is none
 * @param concurrency limit of the calls in flight; null if there is none
 */
public record LlmRates(@Nullable Rate requests, @Nullable Rate tokens, @Nullable Rate budget, @Nullable Rate concurrency) {

    /** No limit. */
    public static final LlmRates NONE = new LlmRates(null, null, null);

    /** Creates rates without a limit of the calls in flight. */
    public LlmRates(@Nullable Rate requests, @Nullable Rate tokens, @Nullable Rate budget) {
        this(requests, tokens, budget, null);
    }

    /** Returns whether there is no limit. */
    public boolean isEmpty() {
        return requests == null && tokens == null && budget == null && concurrency == null;
    }
}
