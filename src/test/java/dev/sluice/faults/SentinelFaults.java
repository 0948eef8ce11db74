package dev.sluice.faults;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.SentinelSet;

/** Masters that fail, and sentinels that promote a replica. */
class SentinelFaults {

    private static final SentinelSet REDIS = new SentinelSet();
    private static InstanceGroup fleet;

    @BeforeAll
    static void start() {
        fleet = InstanceGroup.with(Map.of("REDIS_CLIENT_TYPE", "sentinel", "REDIS_HOSTS", REDIS.urls(), "REDIS_MASTER_NAME",
                SentinelSet.NAME));
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
    void masterIsKilled() throws Exception {
        var master = REDIS.master();
        failover("Sentinel: master killed").run(master::kill, () -> REDIS.awaitMasterOtherThan(master));
    }

    @Test
    void masterHangs() throws Exception {
        var master = REDIS.master();
        failover("Sentinel: master hangs").run(master::suspend, () -> REDIS.awaitMasterOtherThan(master));
    }

    @Test
    void masterIsKilledAndTheFirstSentinelHangs() throws Exception {
        var master = REDIS.master();
        failover("Sentinel: master killed, first sentinel hangs").run(() -> {
            REDIS.sentinels().get(0).suspend();
            master.kill();
        }, () -> REDIS.awaitMasterOtherThan(master));
    }
}
