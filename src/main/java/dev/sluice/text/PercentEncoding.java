package dev.sluice.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Percent-encoding of bytes, in upper case as RFC 3986, section 2.1 recommends. */
public final class PercentEncoding {

    private static final char[] DIGITS = "0123456789ABCDEF".toCharArray();

    private PercentEncoding() {
    }

    /**
     * Appends a percent-encoded byte.
     *
     * @param value its lower eight bits are encoded
     */
    public static void append(StringBuilder text, int value) {
        text.append('%').append(DIGITS[value >> 4 & 15]).append(DIGITS[value & 15]);
    }

    /** Appends the percent-encoded bytes of a text in UTF-8, except unreserved characters of RFC 3986, section 2.3. */
    public static void appendEncoded(StringBuilder text, String value) {
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            if (b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '.' || b == '_'
                    || b == '~') {
                text.append((char) b);
            } else {
                append(text, b);
            }
        }
    }

    /** Returns bytes with each percent-encoded byte decoded. An incomplete percent-encoding stays as it is. */
    public static byte[] decode(byte[] encoded) {
        var decoded = new byte[encoded.length];
        int length = 0;
        for (int i = 0; i < encoded.length; i++) {
            int high = i + 2 < encoded.length && encoded[i] == '%' ? Character.digit(encoded[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(encoded[i + 2], 16);
            if (low < 0) {
                decoded[length++] = encoded[i];
            } else {
                decoded[length++] = (byte) (high << 4 | low);
                i += 2;
            }
        }
        return Arrays.copyOf(decoded, length);
    }
}
