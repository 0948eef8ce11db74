package dev.sluice.llm.protocol;

/** Quantity that a call may use beside text tokens, and that has a price of its own. */
public enum UsageKind {
    /** Audio tokens of the input. Part of {@link TokenUsage#input}. */
    AUDIO_INPUT,
    /** Image tokens of the input. Part of {@link TokenUsage#input}. */
    IMAGE_INPUT,
    /** Audio tokens of the output. Part of {@link TokenUsage#output}. */
    AUDIO_OUTPUT,
    /** Image tokens of the output. Part of {@link TokenUsage#output}. */
    IMAGE_OUTPUT,
    /** Web searches of the provider's tool, whose results are input tokens in addition. */
    WEB_SEARCH,
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

    /** Returns whether the quantity is a part of the input tokens. */
    public boolean isInput() {
        return this == AUDIO_INPUT || this == IMAGE_INPUT;
    }

    /** Returns whether the quantity is a part of the output tokens. */
    public boolean isOutput() {
        return this == AUDIO_OUTPUT || this == IMAGE_OUTPUT;
    }
}
