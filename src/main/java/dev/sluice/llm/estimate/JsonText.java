package dev.sluice.llm.estimate;

/** Decodes parts of JSON strings, cut anywhere: what is incomplete at either end is left out or replaced. Stateless. */
final class JsonText {

    private static final char REPLACEMENT = '\uFFFD';

    private JsonText() {
    }

    /**
     * Decodes UTF-8 and escape sequences.
     *
     * @param chars receives the text; as long as the bytes
     * @return the length of the text
     */
    static int decode(byte[] bytes, int from, int to, char[] chars) {
        int length = 0;
        for (int i = from; i < to;) {
            if (bytes[i] != '\\') {
                i = decodeCharacter(bytes, i, to, chars, length);
                length += i < 0 ? 2 : 1;
                i = Math.abs(i);
            } else if (i + 1 < to && bytes[i + 1] == 'u') {
                chars[length++] = i + 6 <= to ? hex(bytes, i + 2) : REPLACEMENT;
                i += 6;
            } else if (i + 1 < to) {
                chars[length++] = unescape(bytes[i + 1]);
                i += 2;
            } else {
                i++;
            }
        }
        return length;
    }

    /** Decodes UTF-8 without escape sequences. */
    static int decodeUtf8(byte[] bytes, int from, int to, char[] chars) {
        int length = 0;
        for (int i = from; i < to;) {
            i = decodeCharacter(bytes, i, to, chars, length);
            length += i < 0 ? 2 : 1;
            i = Math.abs(i);
        }
        return length;
    }

    /** Returns the index after the character; negative if it takes two UTF-16 units. */
    private static int decodeCharacter(byte[] bytes, int at, int to, char[] chars, int length) {
        int b = bytes[at];
        int size = b >= 0 ? 1 : (b & 0xE0) == 0xC0 ? 2 : (b & 0xF0) == 0xE0 ? 3 : (b & 0xF8) == 0xF0 ? 4 : 0;
        if (size == 1) {
            chars[length] = (char) b;
        } else if (size == 0 || at + size > to) {
            chars[length] = REPLACEMENT;
            return at + 1;
        } else {
            int codePoint = b & 0xFF >> size + 1;
            for (int i = 1; i < size; i++) {
                codePoint = codePoint << 6 | bytes[at + i] & 0x3F;
            }
            if (size == 4 && Character.isSupplementaryCodePoint(codePoint)) {
                Character.toChars(codePoint, chars, length);
                return -(at + size);
            }
            chars[length] = size == 4 ? REPLACEMENT : (char) codePoint;
        }
        return at + size;
    }

    private static char unescape(byte b) {
        return switch (b) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            default -> (char) (b & 0x7F);
        };
    }

    private static char hex(byte[] bytes, int from) {
        int value = 0;
        for (int i = from; i < from + 4; i++) {
            value = value << 4 | Math.max(0, Character.digit(bytes[i], 16));
        }
        return (char) value;
    }
}
