package dev.sluice.testing;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Starts a Redis server for the application under test. */
public class RedisTestResource implements QuarkusTestResourceLifecycleManager {

    private RedisTestServer redis;

    @Override
    public Map<String, String> start() {
        redis = RedisTestServer.start();
        return Map.of("rate-limit.redis.port", Integer.toString(redis.port()), "rate-limit.redis.host", "127.0.0.1",
                "test.reports.limit", "2/minute");
    }

    @Override
    public void stop() {
        if (redis != null) {
            redis.close();
        }
    }
}
