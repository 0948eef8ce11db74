package dev.sluice.testing;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The decoder of the JDK as the reference for UTF-8. */
public final class JdkUtf8 {

    private JdkUtf8() {
    }

    /** Returns whether bytes are valid UTF-8. */
    public static boolean decodes(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
