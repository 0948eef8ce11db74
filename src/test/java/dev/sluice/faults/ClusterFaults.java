package dev.sluice.faults;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisCluster;

/** Redis Cluster that loses a node and continues without it. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterFaults {

    private static final RedisCluster REDIS = new RedisCluster();
    private static InstanceGroup fleet;

    @BeforeAll
    static void start() {
        fleet = InstanceGroup.with(Map.of("REDIS_CLIENT_TYPE", "cluster", "REDIS_HOSTS", REDIS.urls()));
    }

    @AfterAll
    static void stop() {
        fleet.close();
        REDIS.close();
    }

    @AfterEach
    void restore() {
        REDIS.restore();
    }

    private static FaultScenario failover(String name) {
        return new FaultScenario(name, fleet).duration(Duration.ZERO);
    }

    @Test
    @Order(1)
    void replicaIsKilled() throws Exception {
        new FaultScenario("Cluster: a replica killed", fleet).affecting().bound(FaultScenario.EXACT_BOUND)
                .run(REDIS.replica(1)::kill, () -> {
                });
    }

    @Test
    @Order(2)
    void manualFailover() throws Exception {
        // The old master blocks all clients until the new one has all of its data, in the worst case for longer than the timeout.
        new FaultScenario("Cluster: CLUSTER FAILOVER requested", fleet).maybeAffecting().run(() -> {
            REDIS.replica(2).command("CLUSTER", "FAILOVER");
            REDIS.awaitPromotion(REDIS.replica(2), null);
        }, () -> {
        });
    }

    @Test
    @Order(3)
    void masterIsKilled() throws Exception {
        failover("Cluster: a master killed").run(REDIS.master(1)::kill,
                () -> REDIS.awaitPromotion(REDIS.replica(1), REDIS.master(1)));
    }

    @Test
    @Order(4)
    void masterHangs() throws Exception {
        failover("Cluster: a master hangs").run(REDIS.master(0)::suspend,
                () -> REDIS.awaitPromotion(REDIS.replica(0), REDIS.master(0)));
    }
}
