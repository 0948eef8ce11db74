package dev.sluice.llm.wire;

import io.vertx.core.buffer.Buffer;

/**
 * Reads the usage from an answer as its bytes pass, without holding or changing them. What it cannot read it passes over:
 * it never throws.
 */
public final class UsageReader {

    /**
     * @param contentType of the answer; null where it names none
     * @param contentEncoding of the answer; null where it names none
     */
    public static UsageReader of(Provider provider, Operation.Shape shape, String contentType, String contentEncoding) {
        return new UsageReader();
    }

    /** The next bytes of the answer. */
    public void feed(Buffer chunk) {
    }

    /** The answer has ended. */
    public void end() {
    }

    /** The usage told so far; null where none was, or none that can be true. */
    public TokenUsage usage() {
        return null;
    }

    /** The model that the answer names; null where it names none. */
    public String model() {
        return null;
    }

    /** How many events have carried content so far. */
    public long events() {
        return 0;
    }

    /** Whether the answer has come to its own end, and was not cut off. */
    public boolean complete() {
        return false;
    }
}
