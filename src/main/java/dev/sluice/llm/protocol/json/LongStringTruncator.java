package dev.sluice.llm.protocol.json;

/**
 * Shortens the strings of a JSON document as it passes, because the parser holds each of them whole. Nothing that is looked
 * for is long, or beyond ASCII.
 */
final class LongStringTruncator {

    /** Bytes of a string that are kept. */
    static final int KEPT = 1024;

    private static final byte NO_JSON = '?';

    private boolean inside;
    /** The last byte that stood outside of strings and was no space. */
    private byte last;
    private boolean dropping;
    private int length;
    private boolean escaped;
    /** Digits of a {@code \\u} escape that are still to come. */
    private int digits;

    /** Shortens in place. @return the new end */
    int shorten(byte[] bytes, int from, int to) {
        int end = from;
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            // The parser takes no escaped surrogates in names: they become something else.
            if (inside && digits == 4 && (b == 'd' || b == 'D')) {
                b = '0';
            }
            if (inside) {
                inside(b);
            } else {
                inside = b == '"';
                length = 0;
                b = outside(b);
            }
            if (!dropping) {
                bytes[end++] = b;
            }
        }
        return end;
    }

    /** Where a value or a name is missing before a brace, the parser notices or not, by where the bytes are cut. */
    private byte outside(byte b) {
        boolean missing = b == '}' && (last == ':' || last == ',');
        if (b > ' ' || b < 0) {
            last = b;
        }
        return missing ? NO_JSON : b;
    }

    private void inside(byte b) {
        length++;
        if (escaped) {
            escaped = false;
            digits = b == 'u' ? 4 : 0;
        } else if (digits > 0) {
            digits--;
        } else if (b == '"') {
            inside = false;
            dropping = false;
        } else {
            // Never in the middle of an escape or of a character: the rest stays a string.
            dropping |= length > KEPT && (b & 0xC0) != 0x80;
            escaped = b == '\\';
        }
    }
}
