package dev.sluice.faults;

import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;

/** Fallback policies other than local. */
class FallbackFaults {

    @Test
    void closedFallbackRejects() throws Exception {
        run("closed", FaultScenario.BALANCED_LOAD_BOUND);
    }

    @Test
    void openFallbackAdmits() throws Exception {
        run("open", Double.MAX_VALUE);
    }

    private static void run(String fallback, double bound) throws Exception {
        try (var redis = RedisNode.server();
                var fleet = InstanceGroup.with(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                        "RATE_LIMIT_FALLBACK", fallback))) {
            new FaultScenario("killed, restarted; fallback `" + fallback + '`', fleet).expectingMode(fallback).bound(bound)
                    .run(redis::kill, redis::start);
        }
    }
}
