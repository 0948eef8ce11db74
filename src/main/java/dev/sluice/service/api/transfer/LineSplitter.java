package dev.sluice.service.api.transfer;

import java.io.ByteArrayOutputStream;
import java.util.function.Consumer;

import io.vertx.core.buffer.Buffer;

/** Splits a stream into lines. Holds no more than one line. Not thread-safe. */
final class LineSplitter {

    /** Maximum length of a line, in bytes. */
    static final int MAX_LINE = 128 * 1024;

    private final ByteArrayOutputStream partial = new ByteArrayOutputStream();
    private boolean tooLong;
    private long number;

    /**
     * Line of the stream.
     *
     * @param number its number, from 1
     * @param bytes its content without the line feed; null if it is longer than {@value LineSplitter#MAX_LINE} bytes
     */
    record Line(long number, byte[] bytes) {
    }

    /** Passes on the lines that a part of the stream completes. */
    void split(Buffer part, Consumer<Line> lines) {
        int start = 0;
        for (int i = 0; i < part.length(); i++) {
            if (part.getByte(i) == '\n') {
                append(part, start, i);
                finish(lines);
                start = i + 1;
            }
        }
        append(part, start, part.length());
    }

    /** Passes on the last line, if it has no line feed. */
    void end(Consumer<Line> lines) {
        if (partial.size() > 0 || tooLong) {
            finish(lines);
        }
    }

    private void append(Buffer part, int start, int end) {
        if (tooLong || partial.size() + end - start > MAX_LINE) {
            tooLong = true;
            partial.reset();
        } else if (end > start) {
            partial.writeBytes(part.getBytes(start, end));
        }
    }

    private void finish(Consumer<Line> lines) {
        number++;
        if (tooLong || !isBlank(partial.toByteArray())) {
            lines.accept(new Line(number, tooLong ? null : partial.toByteArray()));
        }
        partial.reset();
        tooLong = false;
    }

    private static boolean isBlank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }
}
