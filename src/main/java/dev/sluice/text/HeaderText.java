package dev.sluice.text;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

/** Decodes header values that contain text of users. Internal. */
public final class HeaderText {

    private HeaderText() {
    }

    /**
     * Decodes a header value as UTF-8. Netty delivers one character per byte (RFC 9110, section 5.5). A value that is not UTF-8
     * is returned unchanged, so a client that sends ISO-8859-1, as many do, means the same text.
     *
     * @param value the value as delivered; null if the header is missing
     * @return null if the header is missing
     */
    public static @Nullable String decode(@Nullable String value) {
        if (value == null || isAscii(value)) {
            return value;
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) > 0xFF) {
                return value; // already decoded
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value.getBytes(StandardCharsets.ISO_8859_1)))
                    .toString();
        } catch (CharacterCodingException e) {
            return value;
        }
    }

    /** Encodes text as Netty delivers it in header fields and paths: one character per byte of UTF-8. */
    public static String encode(String text) {
        return isAscii(text)
                ? text
                : new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private static boolean isAscii(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
