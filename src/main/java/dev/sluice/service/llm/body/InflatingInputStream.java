package dev.sluice.service.llm.body;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Inflates deflate data (RFC 1951). Unlike the streams of {@code java.util.zip}, it rejects data after the end. Bad data is an
 * {@link IOException}.
 */
abstract class InflatingInputStream extends InputStream {

    private static final int INPUT_BYTES = 8 << 10;

    private final InputStream source;
    private final byte[] input = new byte[INPUT_BYTES];
    private int position;
    private int limit;
    /** Null before the first member and after each. */
    private Inflater inflater;
    private boolean ended;

    InflatingInputStream(InputStream source) {
        this.source = source;
    }

    /**
     * Reads the header of the next member.
     *
     * @return null at the end of the data
     */
    abstract Inflater beginMember() throws IOException;

    /** Receives inflated bytes. */
    abstract void onInflated(byte[] bytes, int from, int count);

    /** Reads the trailer of a member. */
    abstract void endMember() throws IOException;

    @Override
    public final int read() throws IOException {
        var single = new byte[1];
        return read(single, 0, 1) < 0 ? -1 : single[0] & 0xFF;
    }

    /** Returns at least one byte, or -1 at the end. */
    @Override
    public final int read(byte[] bytes, int from, int count) throws IOException {
        try {
            while (count > 0 && !ended) {
                if (inflater == null) {
                    inflater = beginMember();
                    ended = inflater == null;
                    continue;
                }
                int inflated = inflater.inflate(bytes, from, count);
                if (inflated > 0) {
                    onInflated(bytes, from, inflated);
                    return inflated;
                }
                advance();
            }
            return count == 0 ? 0 : -1;
        } catch (DataFormatException e) {
            throw new ZipException(e.getMessage());
        }
    }

    private void advance() throws IOException {
        if (inflater.finished()) {
            position = limit - inflater.getRemaining();
            releaseInflater();
            endMember();
        } else if (inflater.needsDictionary()) {
            throw new ZipException("A preset dictionary is not supported");
        } else {
            if (!hasInput()) {
                throw new EOFException();
            }
            inflater.setInput(input, position, limit - position);
            position = limit;
        }
    }

    /** Returns whether the source has more bytes. */
    final boolean hasInput() throws IOException {
        if (position == limit) {
            position = 0;
            limit = Math.max(0, source.read(input));
        }
        return position < limit;
    }

    /** Returns the next byte of the source, 0 to 255. */
    final int nextByte() throws IOException {
        if (!hasInput()) {
            throw new EOFException();
        }
        return input[position++] & 0xFF;
    }

    /** Returns the next two bytes without reading them; -1 if there are fewer. */
    final int peekTwoBytes() throws IOException {
        if (hasInput() && limit - position < 2) {
            input[0] = input[position];
            position = 0;
            limit = 1 + Math.max(0, source.read(input, 1, input.length - 1));
        }
        return limit - position < 2 ? -1 : (input[position] & 0xFF) << 8 | input[position + 1] & 0xFF;
    }

    private void releaseInflater() {
        if (inflater != null) {
            inflater.end();
            inflater = null;
        }
    }

    @Override
    public void close() throws IOException {
        ended = true;
        releaseInflater();
        source.close();
    }
}
