package dev.sluice.testing;

import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Trusts the address of the test as a proxy that reports addresses and names callers, requires an audience in JWTs, has admin tokens,
 * and lets clients override methods. */
public class TrustedProxyProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.trusted-proxies", "127.0.0.0/8,10.0.0.0/8,fd00::/8", "rate-limit.identity-proxies",
                "127.0.0.1", "rate-limit.jwt.audience", "orders,sluice",
                "rate-limit.method-override", "allow", "rate-limit.endpoints.\"DELETE /items\".free", "blocked",
                "rate-limit.admin-token", "admin-secret", "rate-limit.admin-tokens.reader.sha256",
                Sha256.hex("reader-secret"));
    }
}
