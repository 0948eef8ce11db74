package dev.sluice.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.Instance;
import dev.sluice.testing.faults.CpuQuota;
import dev.sluice.testing.faults.FaultProxy;
import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;
import dev.sluice.testing.faults.RoundTripMeter;
import dev.sluice.testing.faults.SteadyLoadScenario;
import io.vertx.core.Vertx;

/** Instances that are suspended, short of CPU time, or far from a healthy Redis. The figures are in target/steady.md too. */
class InstanceFaults {

    private static final int TIMES = 4;
    private static final Duration SUSPENDED = Duration.ofMillis(300);
    private static final Duration STEADY = Duration.ofSeconds(10);
    private static final double CPUS = 0.25; // requested by helm/values.yaml
    /** Median latency to round trip, where a decision takes one round trip; 2 where it takes two. */
    private static final double ONE_ROUND_TRIP = 1.35;

    @Test
    void suspendedAndResumed() throws Exception {
        try (var redis = RedisNode.server(); var fleet = InstanceGroup.sharing(redis)) {
            new FaultScenario("each instance suspended (SIGSTOP) for 300 ms, " + TIMES + " times", fleet).affecting()
                    .bound(FaultScenario.EXACT_BOUND)
                    .run(() -> {
                        for (int i = 0; i < TIMES * fleet.instances().size(); i++) {
                            fleet.suspend(i % fleet.instances().size(), SUSPENDED);
                        }
                    }, () -> {
                    });
        }
    }

    @Test
    void coldWithQuarterOfCpu() {
        var quota = CpuQuota.of(CPUS);
        Assumptions.assumeTrue(quota.isPresent(), "no writable control groups for CPU time under /sys/fs/cgroup");
        try (var group = quota.orElseThrow();
                var redis = RedisNode.server();
                var instance = Instance.start(group.prefix(), redis.environment(Map.of()))) {
            SteadyLoadScenario.run("cold, " + CPUS + " CPU", instance, STEADY).verify();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 90})
    void farFromRedis(int millis) {
        var vertx = Vertx.vertx();
        try (var redis = RedisNode.server(); var proxy = new FaultProxy(vertx, redis.port())) {
            proxy.delay(millis);
            var settings = Map.of("RATE_LIMIT_TIMEOUT", "200ms"); // well above the round trip, as docs/operations.md says
            try (var instance = Instance.start(RedisNode.environment(proxy.port(), settings));
                    var roundTrips = new RoundTripMeter(proxy.port())) {
                var steady = SteadyLoadScenario.run(millis + " ms away", instance, STEADY);
                steady.verify();
                assertThat(steady.medianMillis()).as("median latency, ms")
                        .isLessThanOrEqualTo(ONE_ROUND_TRIP * roundTrips.medianMillis());
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
