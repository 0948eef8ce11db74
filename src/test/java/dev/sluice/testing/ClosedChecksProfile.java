package dev.sluice.testing;

import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

/** Default of {@code rate-limit.check.open}; for tests with an upstream. */
public class ClosedChecksProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.check.open", "", "rate-limit.check.rate", "600/minute", "rate-limit.admin-token",
                "admin-secret");
    }
}
