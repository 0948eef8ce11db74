package dev.sluice.service.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.util.Base64;
import java.util.Set;

import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.RejectedCredential;
import dev.sluice.testing.SigningKey;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

class JwtRejectionTest {

    private static final SigningKey KEY = new SigningKey("first");
    private static final SigningKey OTHER = new SigningKey("second");
    private static final SigningKey FORGED = new SigningKey("first");
    private static final long NOW = System.currentTimeMillis() / 1000;

    private final JWTAuthContextInfo settings = new JWTAuthContextInfo();

    JwtRejectionTest() {
        settings.setMaxTimeToLiveSecs(-1L);
        settings.setClockSkew(60);
    }

    private JwtRejection rejection(String token) {
        var keys = new FetchedKeys(SigningKey.jwks(KEY), settings);
        var failure = catchThrowableOfType(ParseException.class, () -> keys.verify(token));
        assertThat(failure).isNotNull();
        return JwtRejection.of(failure, token, settings);
    }

    private void assertRejected(String token, RejectedCredential credential, String detail) {
        var rejection = rejection(token);
        assertThat(rejection.credential()).isEqualTo(credential);
        assertThat(rejection.detail()).isEqualTo(detail);
    }

    private static JsonObject claims() {
        return SigningKey.claims("alice");
    }

    @Test
    void validTokensAreAccepted() throws ParseException {
        var keys = new FetchedKeys(SigningKey.jwks(OTHER, KEY), settings);
        assertThat(keys.verify(KEY.token("Zo\u00EB")).getSubject()).isEqualTo("Zo\u00EB");
        assertThat(keys.verify(OTHER.sign(claims().put("iat", NOW).put("nbf", NOW))).getSubject()).isEqualTo("alice");
    }

    @Test
    void timesOfTheTokenAreChecked() {
        assertRejected(KEY.sign(claims().put("exp", NOW - 120)), RejectedCredential.JWT_EXPIRED, "exp=" + (NOW - 120));
        assertRejected(KEY.sign(claims().put("nbf", NOW + 1000).put("exp", NOW + 2000)), RejectedCredential.JWT_NOT_YET_VALID,
                "nbf=" + (NOW + 1000));
        assertRejected(KEY.sign(new JsonObject().put("sub", "alice")), RejectedCredential.JWT_MISSING_CLAIM, "required=exp");
        settings.setMaxTimeToLiveSecs(null);
        settings.setTokenAge(60L);
        assertRejected(KEY.sign(claims().put("iat", NOW - 3600)), RejectedCredential.JWT_TOO_OLD, "mp.jwt.verify.token.age=60");
        assertThat(rejection(KEY.sign(claims())).credential()).as("without iat the age is unknown")
                .isEqualTo(RejectedCredential.JWT_MISSING_CLAIM);
    }

    @Test
    void otherClaimsAreChecked() {
        settings.setIssuedBy("https://issuer.example");
        assertRejected(KEY.sign(claims()), RejectedCredential.JWT_ISSUER,
                "iss=none mp.jwt.verify.issuer=https://issuer.example");
        assertRejected(KEY.sign(claims().put("iss", "https://other.example")), RejectedCredential.JWT_ISSUER,
                "iss=\"https://other.example\" mp.jwt.verify.issuer=https://issuer.example");
        settings.setIssuedBy(null);
        settings.setExpectedAudience(Set.of("orders"));
        assertRejected(KEY.sign(claims()), RejectedCredential.JWT_AUDIENCE, "aud=none rate-limit.jwt.audience=[orders]");
        assertRejected(KEY.sign(claims().put("aud", new JsonArray().add("a").add("b"))), RejectedCredential.JWT_AUDIENCE,
                "aud=\"[a, b]\" rate-limit.jwt.audience=[orders]");
        settings.setExpectedAudience(null);
        settings.setRequiredClaims(Set.of("team"));
        assertRejected(KEY.sign(claims()), RejectedCredential.JWT_MISSING_CLAIM, "required=[team]");
    }

    @Test
    void signatureIsChecked() {
        assertRejected(FORGED.token("alice"), RejectedCredential.JWT_SIGNATURE, "alg=\"RS256\" kid=\"first\"");
        assertRejected(OTHER.token("alice"), RejectedCredential.JWT_UNKNOWN_KEY, "kid=\"second\"");
        assertRejected(KEY.sign(claims(), AlgorithmIdentifiers.RSA_USING_SHA512), RejectedCredential.JWT_ALGORITHM,
                "alg=\"RS512\" mp.jwt.verify.publickey.algorithm=[RS256]");
        var token = KEY.token("alice");
        assertThat(rejection(token.substring(0, token.lastIndexOf('.') + 1)).credential())
                .isEqualTo(RejectedCredential.JWT_SIGNATURE);
    }

    /** A public key must not serve as the secret of an HMAC, even if its algorithm is expected. */
    @Test
    void publicKeyIsNoSecret() throws JoseException {
        var document = KEY.key().getPublicKey().getEncoded();
        var pem = "-----BEGIN PUBLIC KEY-----\n" + Base64.getMimeEncoder().encodeToString(document)
                + "\n-----END PUBLIC KEY-----\n";
        for (var algorithms : Set.of(Set.of(SignatureAlgorithm.RS256),
                Set.of(SignatureAlgorithm.RS256, SignatureAlgorithm.HS256), Set.of(SignatureAlgorithm.HS256))) {
            settings.setSignatureAlgorithm(algorithms);
            for (var secret : Set.of(KEY.jwk(), pem, pem.strip(), new String(document, StandardCharsets.ISO_8859_1))) {
                var token = hmac(new HmacKey(secret.getBytes(StandardCharsets.ISO_8859_1)), "first");
                for (var published : Set.of(SigningKey.jwks(KEY), KEY.jwk(), pem)) {
                    assertThatThrownBy(() -> new FetchedKeys(published, settings).verify(token))
                            .isInstanceOf(ParseException.class);
                }
            }
        }
    }

    private static String hmac(Key secret, String keyId) throws JoseException {
        var signature = new JsonWebSignature();
        signature.setPayload(claims().encode());
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
        signature.setKeyIdHeaderValue(keyId);
        signature.setKey(secret);
        return signature.getCompactSerialization();
    }

    @Test
    void tokenWithoutAlgorithmIsRejected() throws JoseException {
        var signature = new JsonWebSignature();
        signature.setPayload(claims().encode());
        signature.setAlgorithmConstraints(AlgorithmConstraints.NO_CONSTRAINTS);
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.NONE);
        signature.setKeyIdHeaderValue("first");
        assertRejected(signature.getCompactSerialization(), RejectedCredential.JWT_ALGORITHM,
                "alg=\"none\" mp.jwt.verify.publickey.algorithm=[RS256]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"eyJhbGciOiJSUzI1NiJ9.%%.x", "eyJhbGciOiJSUzI1NiJ9..", "eyJhbGciOiJSUzI1NiJ9.bm8gSlNPTg.c2ln",
            "eyJhbGciOiJSUzI1NiIsImFsZyI.e30.c2ln", "eyJhbGciOjF9.e30.c2ln"})
    void malformedTokensAreRejected(String token) {
        assertThat(rejection(token).credential()).isIn(RejectedCredential.JWT_MALFORMED, RejectedCredential.JWT_UNKNOWN_KEY,
                RejectedCredential.JWT_ALGORITHM, RejectedCredential.JWT_SIGNATURE);
    }

    @Test
    void textOfATokenIsPrintableAndBounded() {
        assertThat(JwtRejection.quote("a\nb\u001b[31m\"\\\u0085\u202E\u00EB")).isEqualTo("\"a?b?[31m????\u00EB\"");
        assertThat(JwtRejection.quote("x".repeat(1000))).isEqualTo('"' + "x".repeat(100) + "...\"");
        assertThat(JwtRejection.quote(null)).isEqualTo("none");
    }

    @Test
    void keysOfUnknownTypesAreIgnored() throws ParseException {
        var keys = new FetchedKeys("{\"keys\":[{\"kty\":\"future\",\"kid\":\"x\"}," + KEY.jwk()
                + ",{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AA\",\"kid\":\"y\"}]}", settings);
        assertThat(keys.verify(KEY.token("alice")).getSubject()).isEqualTo("alice");
        assertThat(keys.lacks("first")).isFalse();
        assertThat(keys.lacks("x")).isTrue();
    }

    @Test
    void singleKeysAreRead() throws ParseException {
        var pem = Base64.getEncoder().encodeToString(KEY.key().getPublicKey().getEncoded());
        for (var document : Set.of(KEY.jwk(), pem)) {
            var keys = new FetchedKeys(document, settings);
            assertThat(keys.verify(KEY.token("alice")).getSubject()).isEqualTo("alice");
            assertThat(keys.lacks("any")).isFalse();
        }
        var unnamed = new SigningKey(null);
        assertThat(new FetchedKeys(SigningKey.jwks(unnamed), settings).lacks("any")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "[]", "{\"keys\":[]}", "{\"keys\":5}", "{\"keys\":[5]}", "<html></html>",
            "{\"keys\":[{\"kty\":\"future\"}]}"})
    void documentWithoutAKeyIsRejected(String document) {
        assertThatThrownBy(() -> new FetchedKeys(document, settings)).isInstanceOf(IllegalArgumentException.class);
    }
}
