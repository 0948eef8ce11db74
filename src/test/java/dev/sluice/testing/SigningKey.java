package dev.sluice.testing;

import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.lang.JoseException;

import io.vertx.core.json.JsonObject;

/** RSA key of an issuer of JWTs. Adds no claim of its own to a token, unlike SmallRye's builder. */
public final class SigningKey {

    private final RsaJsonWebKey key;

    /** @param keyId key identifier ({@code kid}); null for none */
    public SigningKey(String keyId) {
        try {
            key = RsaJwkGenerator.generateJwk(2048);
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
        key.setKeyId(keyId);
    }

    /** Returns the public key as a JWK. */
    public String jwk() {
        return key.toJson(OutputControlLevel.PUBLIC_ONLY);
    }

    /** Returns a JWK set of the public keys. */
    public static String jwks(SigningKey... keys) {
        var list = new StringBuilder("{\"keys\":[");
        for (int i = 0; i < keys.length; i++) {
            list.append(i == 0 ? "" : ",").append(keys[i].jwk());
        }
        return list.append("]}").toString();
    }

    public RsaJsonWebKey key() {
        return key;
    }

    /** Returns a token of a user that is valid for a minute, as PyJWT issues it: without {@code iat}. */
    public String token(String subject) {
        return sign(claims(subject));
    }

    public static JsonObject claims(String subject) {
        return new JsonObject().put("sub", subject).put("exp", System.currentTimeMillis() / 1000 + 60);
    }

    /** Signs with RS256. */
    public String sign(JsonObject claims) {
        return sign(claims, "RS256");
    }

    /** @param algorithm RS256, RS512, ... */
    public String sign(JsonObject claims, String algorithm) {
        var signature = new JsonWebSignature();
        signature.setPayload(claims.encode());
        signature.setAlgorithmHeaderValue(algorithm);
        signature.setKey(key.getPrivateKey());
        if (key.getKeyId() != null) {
            signature.setKeyIdHeaderValue(key.getKeyId());
        }
        try {
            return signature.getCompactSerialization();
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }
}
