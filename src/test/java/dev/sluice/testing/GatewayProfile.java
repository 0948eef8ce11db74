package dev.sluice.testing;

import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Rules and an API key for the tests of the gateway. */
public class GatewayProfile implements QuarkusTestProfile {

    /** Maximum number of upstream connections. */
    public static final int CONNECTIONS = 8;

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.api-keys.bob.sha256", Sha256.hex("key-of-bob"), "rate-limit.api-keys.bob.user", "bob",
                "rate-limit.api-keys.bob.tier", "pro", "rate-limit.exempt", "/healthz", "rate-limit.upstream.max-connections",
                Integer.toString(CONNECTIONS), "rate-limit.endpoints.\"/closed\".free",
                "blocked", "rate-limit.endpoints.\"/open\".free", "unlimited",
                "quarkus.shutdown.timeout", "1s"); // shutdown would wait for open WebSockets
    }
}
