package dev.sluice.testing.llm;

/**
 * What a model said, and what the call used as its SDK tells it.
 *
 * @param text all of it; of an embedding its numbers
 * @param input tokens, in the provider's own counting; 0 where the SDK tells nothing
 * @param cached tokens read from a cache
 * @param output tokens, in the provider's own counting
 */
public record SdkResult(String text, long input, long cached, long output) {
}
