package dev.sluice.llm.protocol.json;

/**
 * Shortens the strings of a JSON document as it passes, because the parser holds each of them whole. Nothing that is looked
 * for is long, or beyond ASCII.
 */
final class LongStringTruncator {

    /** Bytes of a string that are kept. */
    static final int MAX_BYTES = 1024;

    private static final byte INVALID_BYTE = '?';

    private boolean inString;
    /** The last byte that stood outside of strings and was no space. */
    private byte lastStructural;
    private boolean dropping;
    private int length;
    private boolean escaped;
    /** Digits of a {@code \\u} escape that are still to come. */
    private int pendingHexDigits;

    /** Shortens in place. @return the new end */
    int truncate(byte[] bytes, int from, int to) {
        int end = from;
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            // The parser takes no escaped surrogates in names: they become something else.
            if (inString && pendingHexDigits == 4 && (b == 'd' || b == 'D')) {
                b = '0';
            }
            if (inString) {
                inString(b);
            } else {
                inString = b == '"';
                length = 0;
                b = acceptOutside(b);
            }
            if (!dropping) {
                bytes[end++] = b;
            }
        }
        return end;
    }

    /** Where a value or a name is missing before a brace, the parser notices or not, by where the bytes are cut. */
    private byte acceptOutside(byte b) {
        boolean valueMissing = b == '}' && (lastStructural == ':' || lastStructural == ',');
        if (b > ' ' || b < 0) {
            lastStructural = b;
        }
        return valueMissing ? INVALID_BYTE : b;
    }

    private void inString(byte b) {
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
            // Never in the middle of an escape or of a character: the rest stays a string.
            dropping |= length > MAX_BYTES && (b & 0xC0) != 0x80;
            escaped = b == '\\';
        }
    }
}
