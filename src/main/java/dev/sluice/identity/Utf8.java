package dev.sluice.identity;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Checks that bytes are well-formed UTF-8. Allocates nothing. */
public final class Utf8 {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long NOT_ASCII = 0x8080808080808080L;

    private Utf8() {
    }

    /**
     * Whether the bytes are well-formed UTF-8 as Unicode defines it (section 3.9, table 3-7): no overlong form, no encoded
     * surrogate, nothing above U+10FFFF, no truncated sequence. Parsers that accept more would read two different byte
     * sequences as one text.
     */
    public static boolean isValid(byte[] bytes) {
        int i = 0;
        while (i < bytes.length) {
            int first = bytes[i];
            if (first >= 0) {
                i = afterAscii(bytes, i + 1);
                continue;
            }
            int length = sequence(bytes, i, first & 0xFF);
            if (length == 0) {
                return false;
            }
            i += length;
        }
        return true;
    }

    /** The index of the first byte from {@code i} on that may not be ASCII. */
    private static int afterAscii(byte[] bytes, int from) {
        int i = from;
        while (i + Long.BYTES <= bytes.length && ((long) LONG.get(bytes, i) & NOT_ASCII) == 0) {
            i += Long.BYTES;
        }
        return i;
    }

    /** The length of the sequence of several bytes that begins at {@code i}; 0 where it is ill-formed. */
    private static int sequence(byte[] bytes, int i, int first) {
        if (first >= 0xC2 && first <= 0xDF) {
            return follows(bytes, i + 1, 0x80, 0xBF) ? 2 : 0;
        }
        if (first >= 0xE0 && first <= 0xEF) {
            int least = first == 0xE0 ? 0xA0 : 0x80;
            int most = first == 0xED ? 0x9F : 0xBF;
            return follows(bytes, i + 1, least, most) && follows(bytes, i + 2, 0x80, 0xBF) ? 3 : 0;
        }
        if (first >= 0xF0 && first <= 0xF4) {
            int least = first == 0xF0 ? 0x90 : 0x80;
            int most = first == 0xF4 ? 0x8F : 0xBF;
            return follows(bytes, i + 1, least, most) && follows(bytes, i + 2, 0x80, 0xBF)
                    && follows(bytes, i + 3, 0x80, 0xBF) ? 4 : 0;
        }
        return 0;
    }

    private static boolean follows(byte[] bytes, int i, int least, int most) {
        return i < bytes.length && (bytes[i] & 0xFF) >= least && (bytes[i] & 0xFF) <= most;
    }
}
