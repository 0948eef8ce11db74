package dev.sluice.service.llm.body;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;

/**
 * Bytes of a body in segments, so that a growing body is never copied. Counts what it allocates. Used by one
 * thread at a time.
 */
final class BodyAccumulator {

    private static final int MIN_SEGMENT_BYTES = 4 << 10;
    private static final int MAX_SEGMENT_BYTES = 1 << 20;

    private final HeldBytes.Share held;
    private final long expectedLength;
    private final List<byte[]> fullSegments = new ArrayList<>();
    private byte[] segment = {};
    /** Bytes used in the current segment. */
    private int used;
    private int length;
    private long allocated;
    /** The whole body, if it arrived at once. */
    private Buffer whole;

    /** @param expectedLength length of the body; -1 if it is unknown */
    BodyAccumulator(HeldBytes.Share held, long expectedLength) {
        this.held = held;
        this.expectedLength = expectedLength;
    }

    int length() {
        return length;
    }

    void append(Buffer chunk) {
        if (length == 0 && chunk.length() == expectedLength) {
            allocate(chunk.length());
            whole = chunk;
            length = chunk.length();
            return;
        }
        for (int from = 0; from < chunk.length();) {
            int size = makeRoom(chunk.length() - from);
            chunk.getBytes(from, from + size, segment, used);
            used += size;
            length += size;
            from += size;
        }
    }

    void append(byte[] bytes, int count) {
        for (int from = 0; from < count;) {
            int size = makeRoom(count - from);
            System.arraycopy(bytes, from, segment, used, size);
            used += size;
            length += size;
            from += size;
        }
    }

    /** Returns how many bytes the current segment takes, up to the given number. */
    private int makeRoom(int wanted) {
        if (used == segment.length) {
            long size = Math.max(MIN_SEGMENT_BYTES, Math.min(MAX_SEGMENT_BYTES, Math.max(length, wanted)));
            if (expectedLength > length) {
                size = Math.min(size, expectedLength - length);
            }
            allocate(size);
            if (used > 0) {
                fullSegments.add(segment);
            }
            segment = new byte[(int) size];
            used = 0;
        }
        return Math.min(wanted, segment.length - used);
    }

    private void allocate(long bytes) {
        held.add(bytes);
        allocated += bytes;
    }

    /** Returns all bytes, which remain counted and are not copied, and forgets them. */
    @SuppressWarnings("deprecation") // Buffer.buffer(byte[]) copies the array
    Buffer toBuffer() {
        var result = whole;
        if (result == null) {
            var parts = new ByteBuf[fullSegments.size() + 1];
            for (int i = 0; i < fullSegments.size(); i++) {
                parts[i] = Unpooled.wrappedBuffer(fullSegments.get(i));
            }
            parts[fullSegments.size()] = Unpooled.wrappedBuffer(segment, 0, used);
            result = Buffer.buffer(parts.length == 1 ? parts[0] : Unpooled.wrappedBuffer(parts.length, parts));
        }
        forget();
        return result;
    }

    /** Returns the bytes as a stream. */
    InputStream toInputStream() {
        if (whole != null) {
            return new ByteArrayInputStream(whole.getBytes());
        }
        var streams = new ArrayList<InputStream>();
        fullSegments.forEach(full -> streams.add(new ByteArrayInputStream(full)));
        streams.add(new ByteArrayInputStream(segment, 0, used));
        return new SequenceInputStream(Collections.enumeration(streams));
    }

    /** Forgets all bytes, which are not counted any more. */
    void discard() {
        held.subtract(allocated);
        forget();
    }

    private void forget() {
        fullSegments.clear();
        segment = new byte[0];
        used = 0;
        whole = null;
        allocated = 0;
    }
}
