package dev.sluice.identity;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

import dev.sluice.api.Identifiers;

/** SHA-256 hashes of texts, encoded in UTF-8. */
public final class Sha256 {

    private Sha256() {
    }

    /** Returns the hash in lower-case hexadecimal. */
    public static String hex(String text) {
        return HexFormat.of().formatHex(digest(text));
    }

    /** Compares two texts in a time that does not depend on where they differ. */
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

    /** Returns prefix and name; if that is no valid identifier, prefix, {@code sha256:} and the hash of the name. */
    public static String toIdentifier(String prefix, String name) {
        var identifier = prefix + name;
        return Identifiers.isValid(identifier) ? identifier : prefix + "sha256:" + hex(name);
    }
}
