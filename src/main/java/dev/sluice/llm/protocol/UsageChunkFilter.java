package dev.sluice.llm.protocol;

import io.vertx.core.buffer.Buffer;

/**
 * Takes the usage out of a chat stream whose caller did not ask for it: the last chunk, which has nothing else, and the
 * nulls of the others. All other bytes pass as they came. The stream must not be compressed.
 */
public final class UsageChunkFilter {

    /** Bytes of an event that are held back; a larger one passes as it is. */
    static final int LARGEST_EVENT = 1 << 20;

    /** The event that is not yet whole. */
    private Buffer held = Buffer.buffer();
    /** The event is too large, and its beginning has passed. */
    private boolean passing;
    private boolean lineEmpty = true;
    private boolean afterReturn;
    /** An event ended at the byte before. */
    private boolean afterEvent;
    /** The event that ended last did not pass. */
    private boolean dropped;

    /** @return what passes on to the caller, maybe nothing */
    public Buffer feed(Buffer chunk) {
        var bytes = chunk.getBytes();
        var out = Buffer.buffer(bytes.length);
        int from = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            boolean secondHalf = afterReturn && b == '\n';
            boolean ends = b == '\n' || b == '\r';
            if (secondHalf && afterEvent) {
                if (!dropped) {
                    out.appendByte(b);
                }
                from = i + 1;
            }
            afterReturn = b == '\r';
            afterEvent = ends && !secondHalf && lineEmpty;
            if (afterEvent) {
                endEvent(bytes, from, i + 1, out);
                from = i + 1;
            } else if (!secondHalf) {
                lineEmpty = ends;
            }
        }
        hold(bytes, from, out);
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
        if (passing || held.length() + to - from > LARGEST_EVENT) {
            out.appendBuffer(held).appendBytes(bytes, from, to - from);
        } else if (held.length() == 0) {
            dropped = !ChatChunk.strip(bytes, from, to, out);
        } else {
            var event = held.appendBytes(bytes, from, to - from).getBytes();
            dropped = !ChatChunk.strip(event, 0, event.length, out);
        }
        passing = false;
        drain();
    }

    private void hold(byte[] bytes, int from, Buffer out) {
        int length = bytes.length - from;
        if (!passing && held.length() + length <= LARGEST_EVENT) {
            held.appendBytes(bytes, from, length);
        } else {
            passing = true;
            out.appendBuffer(held).appendBytes(bytes, from, length);
            drain();
        }
    }

    private void drain() {
        if (held.length() > 0) {
            held = Buffer.buffer();
        }
    }
}
