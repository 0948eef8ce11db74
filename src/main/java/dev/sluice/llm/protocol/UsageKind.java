package dev.sluice.llm.protocol;

/** Quantity that a call may use beside text tokens, and that has a price of its own. */
public enum UsageKind {
    /** Audio tokens of the input. Part of {@link TokenUsage#input}. */
    AUDIO_INPUT,
    /** Image tokens of the input. Part of {@link TokenUsage#input}. */
    IMAGE_INPUT,
    /** Tokens written to the cache for twelve hours or more. Part of {@link TokenUsage#cacheWrite}. */
    CACHE_WRITE_12H,
    /** Audio tokens of the output. Part of {@link TokenUsage#output}. */
    AUDIO_OUTPUT,
    /** Image tokens of the output. Part of {@link TokenUsage#output}. */
    IMAGE_OUTPUT,
    /** Web searches of the provider's tool, whose results are input tokens in addition. */
    WEB_SEARCH,
    /** Queries of Gemini's grounding with Google Maps, or calls that use it. */
    MAPS_SEARCH,
    /** Calls of a tool that searches the caller's files or collections. */
    FILE_SEARCH,
    /** Gigabytes of memory of the containers in which OpenAI's tools run code, each of one session. */
    CONTAINER_GIGABYTE,
    /** Calls of xAI's tool that runs code. */
    CODE_EXECUTION,
    /** Calls of xAI's tool that searches the files attached to a message. */
    DOCUMENT_SEARCH,
    /** Posts that xAI's tool has read on X, or its calls where their number is not reported. */
    X_SEARCH,
    /** Profiles that xAI's tool has read on X. */
    X_PROFILE,
    /** Characters of the text that is spoken. A unit. */
    CHARACTER,
    /** Milliseconds of audio of the input. A unit. */
    AUDIO_MILLISECOND,
    /** Images that are generated, of the size and quality that {@link UsageDetails#image} names. A unit. */
    IMAGE;

    /** Returns whether some models are billed by the quantity instead of by tokens. */
    public boolean isUnit() {
        return this == CHARACTER || this == AUDIO_MILLISECOND || this == IMAGE;
    }

    /** Returns whether the quantity has a fee beside the prices of tokens. */
    public boolean isFee() {
        return !isUnit() && !isInput() && !isOutput() && this != CACHE_WRITE_12H;
    }

    /** Returns whether the quantity is a part of the input tokens. */
    public boolean isInput() {
        return this == AUDIO_INPUT || this == IMAGE_INPUT;
    }

    /** Returns whether the quantity is a part of the output tokens. */
    public boolean isOutput() {
        return this == AUDIO_OUTPUT || this == IMAGE_OUTPUT;
    }
}
