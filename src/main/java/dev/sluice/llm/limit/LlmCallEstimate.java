package dev.sluice.llm.limit;

import dev.sluice.llm.protocol.Provider;

/**
 * A call of a language model that somebody is about to make.
 *
 * @param provider whose model
 * @param identifier who calls, as it is stored
 * @param tier the caller's tier; unknown or null is the first
 * @param model the model's name, empty where it is not known
 * @param inputTokens about how many tokens go in
 * @param maxOutputTokens the most tokens that may come out; negative where nobody has said
 */
public record LlmCallEstimate(Provider provider, String identifier, String tier, String model, long inputTokens, long maxOutputTokens) {

    /** What goes in is about so many tokens: English text and JSON have about four bytes to a token. */
    public static long estimateTokens(long bytes) {
        return (bytes + 3) / 4;
    }
}
