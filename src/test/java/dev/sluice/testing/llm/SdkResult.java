package dev.sluice.testing.llm;

/**
 * Text and usage of a call, as reported by an SDK.
 *
 * @param text the complete text; the numbers of an embedding
 * @param input input tokens as counted by the provider; 0 if the SDK reports none
 * @param cached input tokens read from a cache
 * @param output output tokens as counted by the provider
 */
public record SdkResult(String text, long input, long cached, long output) {
}
