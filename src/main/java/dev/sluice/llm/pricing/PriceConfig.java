package dev.sluice.llm.pricing;

import java.util.Optional;

import io.smallrye.config.WithName;

/**
 * A model's prices, in US dollars per million tokens. They replace all that Sluice knows of the model: dates, and other prices for
 * long prompts, too.
 */
public interface PriceConfig {

    /** Input outside any cache. It must be given. */
    Optional<String> input();

    /** Input read from the cache; as {@link #input} where it is not given. */
    Optional<String> cachedInput();

    /**
     * Input written to the cache; 1.25 times {@link #input} at OpenAI (whose models that know no such price report no such
     * tokens) and Anthropic, and as input at Gemini, where it is not given.
     */
    Optional<String> cacheWrite();

    /** Input written to the cache for an hour; twice {@link #input} at Anthropic, else as {@link #cacheWrite}, if not given. */
    @WithName("cache-write-1h")
    Optional<String> longCacheWrite();

    /** Output, reasoning included. It must be given; 0 for embeddings. */
    Optional<String> output();
}
