package dev.sluice.service.proxy;

import io.vertx.core.buffer.Buffer;

/** Finds the boundaries of WebSocket frames (RFC 6455, section 5.2) in one direction of a connection. */
final class WebSocketFrames {

    private static final int CLOSE = 8;
    /** Length of the two fixed bytes, an extended length of up to 8 bytes, and the mask. */
    private static final int MAX_HEADER = 14;

    private final byte[] header = new byte[MAX_HEADER];
    private int headerLength;
    private long payloadLeft;
    private boolean closing;

    /** Follows the bytes that pass. */
    void feed(Buffer bytes) {
        int i = 0;
        while (i < bytes.length()) {
            if (payloadLeft > 0) {
                int skipped = (int) Math.min(payloadLeft, bytes.length() - i);
                payloadLeft -= skipped;
                i += skipped;
                continue;
            }
            header[headerLength++] = bytes.getByte(i++);
            if (headerLength >= 2 && headerLength == headerLength()) {
                closing |= (header[0] & 0x0f) == CLOSE;
                payloadLeft = payloadLength();
                headerLength = 0;
            }
        }
    }

    private int headerLength() {
        int length = header[1] & 0x7f;
        return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + ((header[1] & 0x80) == 0 ? 0 : 4);
    }

    private long payloadLength() {
        int length = header[1] & 0x7f;
        int bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (bytes == 0) {
            return length;
        }
        long extended = 0;
        for (int i = 2; i < 2 + bytes; i++) {
            extended = extended << 8 | header[i] & 0xff;
        }
        return extended & Long.MAX_VALUE;
    }

    /** Returns whether the next byte begins a frame. */
    boolean isAtBoundary() {
        return payloadLeft == 0 && headerLength == 0;
    }

    /** Returns whether a Close frame has passed. */
    boolean isClosing() {
        return closing;
    }

    /**
     * Returns a Close frame.
     *
     * @param status status code (RFC 6455, section 7.4)
     * @param masked whether the frame is sent by a client
     */
    static Buffer close(int status, boolean masked) {
        var frame = Buffer.buffer().appendByte((byte) (0x80 | CLOSE)).appendByte((byte) (masked ? 0x82 : 2));
        if (masked) {
            frame.appendInt(0); // the mask; zero leaves the payload as it is
        }
        return frame.appendUnsignedShort(status);
    }
}
