package dev.sluice.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Validates UTF-8 without allocating. */
public final class Utf8 {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long NOT_ASCII = 0x8080808080808080L;

    private Utf8() {
    }

    /**
     * Returns whether bytes are well-formed UTF-8 as Unicode defines it (section 3.9, table 3-7): no overlong form, no encoded
     * surrogate, nothing above U+10FFFF, no truncated sequence. A parser that accepted more would read two different byte
     * sequences as the same text.
     */
    public static boolean isValid(byte[] bytes) {
        return isValid(bytes, 0, bytes.length);
    }

    /** Returns whether a part of an array is well-formed UTF-8, as {@link #isValid(byte[])}. */
    public static boolean isValid(byte[] bytes, int offset, int length) {
        int end = offset + length;
        int i = offset;
        while (i < end) {
            int first = bytes[i];
            if (first >= 0) {
                i = afterAscii(bytes, i + 1, end);
                continue;
            }
            int sequence = sequenceLength(bytes, i, first & 0xFF);
            if (sequence == 0 || i + sequence > end) {
                return false;
            }
            i += sequence;
        }
        return true;
    }

    /** Returns the index of the first byte at or after {@code from} that may not be ASCII. */
    private static int afterAscii(byte[] bytes, int from, int end) {
        int i = from;
        while (i + Long.BYTES <= end && ((long) LONG.get(bytes, i) & NOT_ASCII) == 0) {
            i += Long.BYTES;
        }
        return i;
    }

    /** Returns the length of the multi-byte sequence that starts at {@code i}; 0 if it is ill-formed. */
    private static int sequenceLength(byte[] bytes, int i, int first) {
        if (first >= 0xC2 && first <= 0xDF) {
            return isInRange(bytes, i + 1, 0x80, 0xBF) ? 2 : 0;
        }
        if (first >= 0xE0 && first <= 0xEF) {
            int min = first == 0xE0 ? 0xA0 : 0x80;
            int max = first == 0xED ? 0x9F : 0xBF;
            return isInRange(bytes, i + 1, min, max) && isInRange(bytes, i + 2, 0x80, 0xBF) ? 3 : 0;
        }
        if (first >= 0xF0 && first <= 0xF4) {
            int min = first == 0xF0 ? 0x90 : 0x80;
            int max = first == 0xF4 ? 0x8F : 0xBF;
            return isInRange(bytes, i + 1, min, max) && isInRange(bytes, i + 2, 0x80, 0xBF)
                    && isInRange(bytes, i + 3, 0x80, 0xBF) ? 4 : 0;
        }
        return 0;
    }

    private static boolean isInRange(byte[] bytes, int i, int min, int max) {
        return i < bytes.length && (bytes[i] & 0xFF) >= min && (bytes[i] & 0xFF) <= max;
    }
}
