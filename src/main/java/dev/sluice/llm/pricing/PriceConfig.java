package dev.sluice.llm.pricing;

import java.util.Optional;

import io.smallrye.config.WithName;

/**
 * Prices of a model in US dollars per million tokens, or of what it is billed by instead. They replace the bundled prices of the model as a whole, including
 * price changes by date and prices for long prompts.
 */
public interface PriceConfig {

    /** Input tokens outside the cache. Required, unless the model is billed by something else. */
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

    /** Output tokens, reasoning included. Required as the input; 0 for embeddings. */
    Optional<String> output();

    /** US dollars per image of any quality and size, of a model that is billed by images instead of tokens. */
    Optional<String> perImage();

    /** US dollars per million characters of the text that is spoken, of a model that is billed by them instead of tokens. */
    Optional<String> perMillionCharacters();

    /** US dollars per minute of audio of the input, of a model that is billed by its length instead of tokens. */
    Optional<String> perAudioMinute();
}
