package dev.sluice.llm.protocol.rewrite;

import io.vertx.core.buffer.Buffer;

/**
 * Removes the usage from a chat stream whose caller has not requested it: the last chunk, which contains nothing else, and
 * null usages in the other chunks. All other bytes are forwarded unchanged. The stream must not be compressed. Not
 * thread-safe.
 */
public final class UsageChunkFilter {

    /** Maximum size of an event that is buffered; a larger one is forwarded unchanged. */
    static final int MAX_EVENT_BYTES = 1 << 20;

    /** Beginning of the current event. */
    private Buffer buffered = Buffer.buffer();
    /** Set if the current event is too large and its beginning has been forwarded. */
    private boolean forwarding;
    private boolean lineEmpty = true;
    private boolean afterCarriageReturn;
    /** Set if an event ended at the previous byte. */
    private boolean afterEvent;
    /** Set if the last event was removed. */
    private boolean dropped;

    /**
     * Filters the next bytes of the stream.
     *
     * @param chunk the bytes, cut anywhere
     * @return the bytes to forward; may be empty
     */
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

    /**
     * Ends the stream.
     *
     * @return the remaining bytes to forward; may be empty
     */
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
