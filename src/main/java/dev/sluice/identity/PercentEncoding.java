package dev.sluice.identity;

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
}
