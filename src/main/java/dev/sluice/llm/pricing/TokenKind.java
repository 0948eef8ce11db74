package dev.sluice.llm.pricing;

/** Kind of tokens that has a price of its own. */
enum TokenKind {

    /** Input of text, neither read from nor written to a cache. */
    INPUT("input", "input_cost_per_token"),
    /** Input read from the cache. */
    CACHED_INPUT("cached_input", "cache_read_input_token_cost"),
    /** Input written to the cache for minutes. */
    CACHE_WRITE("cache_write", "cache_creation_input_token_cost"),
    /** Input written to the cache for one hour. */
    CACHE_WRITE_1H("cache_write_1h", "cache_creation_input_token_cost_above_1hr"),
    /** Input written to the cache for twelve hours. */
    CACHE_WRITE_12H("cache_write_12h", "cache_creation_input_token_cost_above_12hr"),
    /** Audio of the input. */
    AUDIO_INPUT("audio_input", "input_cost_per_audio_token"),
    /** Images of the input. */
    IMAGE_INPUT("image_input", "input_cost_per_image_token"),
    /** Audio of the output. */
    AUDIO_OUTPUT("audio_output", "output_cost_per_audio_token"),
    /** Images of the output. */
    IMAGE_OUTPUT("image_output", "output_cost_per_image_token"),
    /** Output of text, reasoning included. */
    OUTPUT("output", "output_cost_per_token");

    private final String field;
    private final String liteLlmField;

    TokenKind(String field, String liteLlmField) {
        this.field = field;
        this.liteLlmField = liteLlmField;
    }

    /** Returns the field of prices.json. */
    String field() {
        return field;
    }

    /** Returns the field of LiteLLM's price list, in US dollars per token. */
    String liteLlmField() {
        return liteLlmField;
    }
}
