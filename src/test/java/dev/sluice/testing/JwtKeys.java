package dev.sluice.testing;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Set;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.smallrye.jwt.build.Jwt;
import io.smallrye.jwt.build.JwtClaimsBuilder;

/** Configures a verification key for JWTs, and issues tokens. */
public class JwtKeys implements QuarkusTestResourceLifecycleManager {

    private static final KeyPair KEY_PAIR = generateKeyPair();
    private static final KeyPair OTHER_KEY_PAIR = generateKeyPair();

    private static KeyPair generateKeyPair() {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Map<String, String> start() {
        return Map.of("mp.jwt.verify.publickey", Base64.getEncoder().encodeToString(KEY_PAIR.getPublic().getEncoded()),
                "mp.jwt.verify.issuer", "https://issuer.example");
    }

    @Override
    public void inject(TestInjector injector) {
        injector.injectIntoFields(this, field -> field.getType() == JwtKeys.class);
    }

    public String token(String subject, String tier) {
        return sign(KEY_PAIR, subject, tier, "https://issuer.example", Duration.ofMinutes(5));
    }

    public String expiredToken(String subject) {
        return sign(KEY_PAIR, subject, null, "https://issuer.example", Duration.ofMinutes(-10));
    }

    public String forgedToken(String subject) {
        return sign(OTHER_KEY_PAIR, subject, "enterprise", "https://issuer.example", Duration.ofMinutes(5));
    }

    public String foreignIssuerToken(String subject) {
        return sign(KEY_PAIR, subject, null, "https://other.example", Duration.ofMinutes(5));
    }

    /** A token of a user who has chosen these names. */
    public String tokenWithoutSubject(String name) {
        return claims("https://issuer.example", name, Duration.ofMinutes(5)).preferredUserName(name).audience("sluice")
                .sign(KEY_PAIR.getPrivate());
    }

    /** @param audiences none for a token without the claim */
    public String tokenForAudience(String subject, String... audiences) {
        var claims = claims("https://issuer.example", subject, Duration.ofMinutes(5)).subject(subject);
        return (audiences.length == 0 ? claims : claims.audience(Set.of(audiences))).sign(KEY_PAIR.getPrivate());
    }

    /** @param more further claims; values may be maps and lists */
    public String tokenWithClaims(String subject, Map<String, Object> more) {
        var claims = claims("https://issuer.example", "not-" + subject, Duration.ofMinutes(5)).subject(subject)
                .audience("sluice");
        more.forEach(claims::claim);
        return claims.sign(KEY_PAIR.getPrivate());
    }

    private static JwtClaimsBuilder claims(String issuer, String upn, Duration life) {
        return Jwt.issuer(issuer).upn(upn).expiresAt(System.currentTimeMillis() / 1000 + life.toSeconds());
    }

    private static String sign(KeyPair pair, String subject, String tier, String issuer, Duration life) {
        var claims = claims(issuer, "not-" + subject, life).subject(subject).audience("sluice");
        return (tier == null ? claims : claims.claim("tier", tier)).sign(pair.getPrivate());
    }

    @Override
    public void stop() {
        // no resources
    }
}
