package org.example.reports;

import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

public class Unlimited implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("rate-limit.enabled", "false", "rate-limit.redis.enabled", "false");
    }
}
