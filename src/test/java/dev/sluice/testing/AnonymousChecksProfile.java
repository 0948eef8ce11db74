package dev.sluice.testing;

import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

/** Limits requests to the decision endpoints without a token, and trusts one address as a proxy. */
public class AnonymousChecksProfile implements QuarkusTestProfile {

    /** Source address of connections from a trusted proxy. */
    public static final String PROXY = "127.0.0.9";
    /** The default rate in a window of a day, so that no request leaves it during a test. */
    public static final int LIMIT = 600;

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.check.rate", LIMIT + "/day", "rate-limit.admin-token", "admin-secret",
                "rate-limit.trusted-proxies", PROXY);
    }
}
