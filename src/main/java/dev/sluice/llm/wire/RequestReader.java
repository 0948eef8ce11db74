package dev.sluice.llm.wire;

import io.vertx.core.buffer.Buffer;

/** Reads what a call asks for. */
public final class RequestReader {

    private RequestReader() {
    }

    /** @throws UnreadableRequestException where the body is no JSON object or a field is not what it must be */
    public static LlmRequest read(Provider provider, Operation operation, Buffer body) {
        throw new UnsupportedOperationException();
    }

    /** The body of a chat stream that asks for its usage; every other request's as it came. */
    public static Buffer withUsageAsked(Operation operation, LlmRequest request) {
        throw new UnsupportedOperationException();
    }
}
