package dev.sluice.service.auth;

import java.util.HashSet;
import java.util.Set;

import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.lang.JoseException;

import io.smallrye.jwt.auth.principal.DefaultJWTCallerPrincipalFactory;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.JWTCallerPrincipal;
import io.smallrye.jwt.auth.principal.ParseException;

/**
 * Keys of one fetched document, and the verification of tokens with them. SmallRye JWT reads the document as if it were
 * configured ({@code mp.jwt.verify.publickey}), so its settings have the same meaning, and it fetches nothing itself. Immutable.
 */
final class FetchedKeys {

    private final JWTAuthContextInfo settings;
    private final DefaultJWTCallerPrincipalFactory verifier = new DefaultJWTCallerPrincipalFactory();
    private final int count;
    /** Key identifiers; empty if the document is a single key. */
    private final Set<String> keyIds = new HashSet<>();

    /**
     * Reads a document.
     *
     * @param document JWK set, JWK, PEM or certificate
     * @param settings settings of the verification
     * @throws IllegalArgumentException if there is no key in the document
     */
    FetchedKeys(String document, JWTAuthContextInfo settings) {
        this.settings = new JWTAuthContextInfo(settings);
        this.settings.setPublicKeyLocation(null);
        var set = readSet(document);
        if (set == null) {
            if (!KeyContent.isReadable(document)) {
                throw new IllegalArgumentException("the response is no JWK set, JWK, PEM or certificate");
            }
            this.settings.setPublicKeyContent(document);
            count = 1;
            return;
        }
        if (set.getJsonWebKeys().isEmpty()) {
            throw new IllegalArgumentException("the JWK set has no key that can be used");
        }
        set.getJsonWebKeys().forEach(key -> keyIds.add(key.getKeyId()));
        count = set.getJsonWebKeys().size();
        // Without the keys of types that jose4j ignores: SmallRye JWT would ignore the whole set.
        this.settings.setPublicKeyContent(set.toJson(OutputControlLevel.INCLUDE_SYMMETRIC));
    }

    private static JsonWebKeySet readSet(String document) {
        try {
            return new JsonWebKeySet(document);
        } catch (JoseException | RuntimeException e) {
            return null; // another format
        }
    }

    /** Returns the number of keys. */
    int count() {
        return count;
    }

    /**
     * Returns whether newer keys might have a key identifier that these lack.
     *
     * @param keyId key identifier of a token; null if it has none
     */
    boolean lacks(String keyId) {
        return keyId != null && !keyIds.isEmpty() && !keyIds.contains(keyId)
                && !(count == 1 && keyIds.contains(null));
    }

    /** Verifies a token. */
    JWTCallerPrincipal verify(String token) throws ParseException {
        return verifier.parse(token, settings);
    }
}
