package dev.sluice.llm.pricing;

import java.util.Optional;

import io.smallrye.config.WithName;

/**
 * Prices of a model in US dollars per million tokens. They replace the bundled prices of the model as a whole, including
 * price changes by date and prices for long prompts.
 */
public interface PriceConfig {

    /** Input tokens outside the cache. Required. */
    Optional<String> input();

    /** Input tokens read from the cache; default: {@link #input}. */
    Optional<String> cachedInput();

    /**
     * Input tokens written to the cache; default: 1.25 times {@link #input} for OpenAI and Anthropic, {@link #input} for
     * Gemini. OpenAI models without a price for cache writes report no such tokens.
     */
    Optional<String> cacheWrite();

    /**
     * Input tokens written to the cache for one hour; default: twice {@link #input} for Anthropic, otherwise
     * {@link #cacheWrite}.
     */
    @WithName("cache-write-1h")
    Optional<String> longCacheWrite();

    /** Output tokens, reasoning included. Required; 0 for embeddings. */
    Optional<String> output();
}
