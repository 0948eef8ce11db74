package dev.sluice.llm.protocol;

import io.vertx.core.buffer.Buffer;

/**
 * Takes the usage out of a chat stream whose caller did not ask for it: the last chunk, which has nothing else, and the
 * nulls of the others. All other bytes pass as they came. The stream must not be compressed.
 */
public final class UsageChunkFilter {

    /** Bytes of an event that are held back; a larger one passes as it is. */
    static final int MAX_EVENT_BYTES = 1 << 20;

    /** The event that is not yet whole. */
    private Buffer buffered = Buffer.buffer();
    /** The event is too large, and its beginning has passed. */
    private boolean forwarding;
    private boolean lineEmpty = true;
    private boolean afterCarriageReturn;
    /** An event ended at the byte before. */
    private boolean afterEvent;
    /** The event that ended last did not pass. */
    private boolean dropped;

    /** @return what passes on to the caller, maybe nothing */
    public Buffer feed(Buffer chunk) {
        var bytes = chunk.getBytes();
        var out = Buffer.buffer(bytes.length);
        int eventStart = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            boolean lineFeedAfterReturn = afterCarriageReturn && b == '\n';
            boolean lineEnd = b == '\n' || b == '\r';
            if (lineFeedAfterReturn && afterEvent) {
                if (!dropped) {
                    out.appendByte(b);
                }
                eventStart = i + 1;
            }
            afterCarriageReturn = b == '\r';
            afterEvent = lineEnd && !lineFeedAfterReturn && lineEmpty;
            if (afterEvent) {
                endEvent(bytes, eventStart, i + 1, out);
                eventStart = i + 1;
            } else if (!lineFeedAfterReturn) {
                lineEmpty = lineEnd;
            }
        }
        buffer(bytes, eventStart, out);
        return out;
    }

    /** The stream has ended. @return the rest of what passes on */
    public Buffer end() {
        var out = Buffer.buffer();
        endEvent(new byte[0], 0, 0, out);
        return out;
    }

    private void endEvent(byte[] bytes, int from, int to, Buffer out) {
        dropped = false;
        if (forwarding || buffered.length() + to - from > MAX_EVENT_BYTES) {
            out.appendBuffer(buffered).appendBytes(bytes, from, to - from);
        } else if (buffered.length() == 0) {
            dropped = !ChatChunk.removeUsage(bytes, from, to, out);
        } else {
            var event = buffered.appendBytes(bytes, from, to - from).getBytes();
            dropped = !ChatChunk.removeUsage(event, 0, event.length, out);
        }
        forwarding = false;
        clearBuffer();
    }

    private void buffer(byte[] bytes, int from, Buffer out) {
        int length = bytes.length - from;
        if (!forwarding && buffered.length() + length <= MAX_EVENT_BYTES) {
            buffered.appendBytes(bytes, from, length);
        } else {
            forwarding = true;
            out.appendBuffer(buffered).appendBytes(bytes, from, length);
            clearBuffer();
        }
    }

    private void clearBuffer() {
        if (buffered.length() > 0) {
            buffered = Buffer.buffer();
        }
    }
}
