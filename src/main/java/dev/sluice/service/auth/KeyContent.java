package dev.sluice.service.auth;

import java.security.GeneralSecurityException;
import java.util.List;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.util.KeyUtils;

/** Recognizes the formats of keys that SmallRye JWT reads. */
final class KeyContent {

    private static final List<SignatureAlgorithm> FAMILIES = List.of(SignatureAlgorithm.RS256, SignatureAlgorithm.ES256,
            SignatureAlgorithm.EDDSA);

    private KeyContent() {
    }

    /** Returns whether a text is a public key (PEM or base64), a certificate, a JWK or a JWK set with a key. */
    static boolean isReadable(String text) {
        for (var algorithm : FAMILIES) {
            try {
                KeyUtils.decodePublicKey(text, algorithm);
                return true;
            } catch (GeneralSecurityException | IllegalArgumentException e) {
                // not a key for this algorithm
            }
        }
        return isCertificate(text) || isJwk(text);
    }

    /** Returns whether a text is a JWK, or a JWK set with at least one key. */
    static boolean isJwk(String text) {
        try {
            var keys = KeyUtils.loadJsonWebKeys(text);
            return keys != null && !keys.isEmpty();
        } catch (ClassCastException e) { // "keys" is no array
            return false;
        }
    }

    private static boolean isCertificate(String text) {
        try {
            return KeyUtils.getCertificate(text) != null;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }
}
