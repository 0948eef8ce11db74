package dev.sluice.identity;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

import dev.sluice.api.Identifiers;

/** SHA-256, in hexadecimal. */
public final class Sha256 {

    private Sha256() {
    }

    public static String hex(String text) {
        return HexFormat.of().formatHex(digest(text));
    }

    /** Whether both are the same, in a time that does not tell how much of them is. */
    public static boolean constantTimeEquals(String one, String other) {
        return MessageDigest.isEqual(digest(one), digest(other));
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Prefix and name, or prefix and the name's hash where the name is too long for an identifier or not one that UTF-8 knows. */
    static String toIdentifier(String prefix, String name) {
        var whole = prefix + name;
        return Identifiers.isValid(whole) ? whole : prefix + "sha256:" + hex(name);
    }
}
