package dev.sluice.testing;

import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Trusts 127.0.0.1 as a proxy that names callers, but not in its requests for forward authentication and ext_authz. */
public class ForwardAuthProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.trusted-proxies", "127.0.0.1", "rate-limit.identity-proxies", "127.0.0.1",
                "rate-limit.api-keys.bob.sha256", Sha256.hex("key-of-bob"), "rate-limit.api-keys.bob.user", "bob",
                "rate-limit.api-keys.bob.tier", "pro", "rate-limit.endpoints.\"DELETE /items\".free", "blocked",
                "rate-limit.exempt", "/healthz", "rate-limit.cors.origins", "https://app.example.com",
                "rate-limit.endpoints.\"OPTIONS /campaigns\".free", "3/minute");
    }

    /** The same, with {@code rate-limit.forward-auth.trust-identity}. */
    public static class TrustedIdentity implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.trusted-proxies", "127.0.0.1", "rate-limit.forward-auth.trust-identity", "true");
        }
    }
}
