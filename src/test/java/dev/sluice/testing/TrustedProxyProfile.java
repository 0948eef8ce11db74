package dev.sluice.testing;

import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

/** Trusts the address of the test as a proxy. */
public class TrustedProxyProfile implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.trusted-proxies", "127.0.0.0/8,10.0.0.0/8,fd00::/8");
    }
}
