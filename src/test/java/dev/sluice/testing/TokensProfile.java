package dev.sluice.testing;

import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

/** Configures the admin token, the API token and an API key. */
public class TokensProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.admin-token", "admin-secret", "rate-limit.api-token", "api-secret",
                "rate-limit.api-keys.bob.sha256", dev.sluice.identity.Sha256.hex("key-of-bob"),
                "rate-limit.api-keys.bob.user",
                "bob",
                "rate-limit.api-keys.bob.tier", "pro");
    }
}
