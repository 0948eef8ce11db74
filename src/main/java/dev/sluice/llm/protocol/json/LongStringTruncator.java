package dev.sluice.llm.protocol.json;

/**
 * Truncates the strings of a JSON document while it is read, because the parser keeps each of them in memory as a whole.
 * The fields of interest are neither long nor beyond ASCII.
 */
final class LongStringTruncator {

    /** Maximum number of bytes of a string that are kept. */
    static final int MAX_BYTES = 1024;

    private static final byte INVALID_BYTE = '?';

    private boolean inString;
    /** Last byte outside of strings that was not white space. */
    private byte lastStructural;
    private boolean dropping;
    private long dropped;
    private int length;
    private boolean escaped;
    /** Digits of a {@code \\u} escape that are still missing. */
    private int pendingHexDigits;

    /**
     * Truncates strings in place.
     *
     * @return the new end
     */
    int truncate(byte[] bytes, int from, int to) {
        int end = from;
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            // The parser rejects escaped surrogates in names: they are replaced.
            if (inString && pendingHexDigits == 4 && (b == 'd' || b == 'D')) {
                b = '0';
            }
            if (inString) {
                acceptInside(b);
            } else {
                inString = b == '"';
                length = 0;
                b = acceptOutside(b);
            }
            if (!dropping) {
                bytes[end++] = b;
            }
        }
        dropped += to - end;
        return end;
    }

    /** Returns the number of bytes that were cut off, and counts from 0 again. */
    long takeDropped() {
        long taken = dropped;
        dropped = 0;
        return taken;
    }

    /**
     * Replaces a closing brace that follows a colon or comma with an invalid byte: whether the parser itself notices the
     * missing value or name depends on where the bytes are cut.
     */
    private byte acceptOutside(byte b) {
        boolean valueMissing = b == '}' && (lastStructural == ':' || lastStructural == ',');
        if (b > ' ' || b < 0) {
            lastStructural = b;
        }
        return valueMissing ? INVALID_BYTE : b;
    }

    private void acceptInside(byte b) {
        length++;
        if (escaped) {
            escaped = false;
            pendingHexDigits = b == 'u' ? 4 : 0;
        } else if (pendingHexDigits > 0) {
            pendingHexDigits--;
        } else if (b == '"') {
            inString = false;
            dropping = false;
        } else {
            // Never within an escape or a character, so that the rest remains a valid string.
            dropping |= length > MAX_BYTES && (b & 0xC0) != 0x80;
            escaped = b == '\\';
        }
    }
}
