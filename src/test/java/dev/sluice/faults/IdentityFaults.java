package dev.sluice.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.Polling;
import dev.sluice.testing.faults.FaultProxy;
import dev.sluice.testing.faults.IdentityScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;
import dev.sluice.testing.faults.SentinelSet;
import io.vertx.core.Vertx;

/** Faults of Redis and the network while keys are created and revoked. The figures are in {@code target/identities.md}. */
class IdentityFaults {

    private static final Vertx VERTX = Vertx.vertx();
    private static final RedisNode REDIS = RedisNode.server();
    private static final List<FaultProxy> PROXIES = Stream.generate(() -> new FaultProxy(VERTX, REDIS.port())).limit(3)
            .toList();
    private static InstanceGroup fleet;

    @BeforeAll
    static void start() {
        fleet = new InstanceGroup(
                number -> IdentityScenario.environment(RedisNode.environment(PROXIES.get(number).port(), Map.of())));
    }

    @AfterAll
    static void stop() {
        fleet.close();
        PROXIES.forEach(FaultProxy::close);
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        REDIS.close();
    }

    @AfterEach
    void reset() {
        PROXIES.forEach(FaultProxy::reset);
        REDIS.restore();
    }

    private static IdentityScenario scenario(String name) {
        return new IdentityScenario(name, fleet);
    }

    @Test
    void redisIsRestartedWithItsData() throws Exception {
        scenario("killed, restarted with its data").run(REDIS::kill, REDIS::start);
    }

    @Test
    void oneInstanceIsCutOff() throws Exception {
        scenario("one instance isolated for longer than the maximum staleness").affecting(1).longerThanStaleness()
                .run(() -> PROXIES.get(1).stopListening(), () -> PROXIES.get(1).startListening());
    }

    @Test
    void oneInstanceIsBlackholed() throws Exception {
        scenario("one instance receives nothing for longer than the maximum staleness").affecting(2).longerThanStaleness()
                .run(() -> PROXIES.get(2).startBlackholing(), () -> PROXIES.get(2).stopBlackholing());
    }

    /** The connections are lost again and again, each time perhaps with notifications of changes. */
    @Test
    void connectionsAreKilled() throws Exception {
        scenario("connections killed (CLIENT KILL), 10 times").affecting().duration(Duration.ZERO).run(() -> {
            for (int i = 0; i < 10; i++) {
                REDIS.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
                Thread.sleep(200); // the pace of the fault
            }
        }, () -> {
        });
    }

    @Test
    void notificationsAreLost() throws Exception {
        scenario("notifications of changes deleted, every 20 ms for 3 s").affecting().duration(Duration.ZERO).run(() -> {
            for (int i = 0; i < 150; i++) {
                REDIS.command("XTRIM", "sluice:{identities}:changes", "MAXLEN", "0");
                Thread.sleep(20); // the pace of the fault
            }
        }, () -> {
        });
    }

    @Test
    void replicaIsPromoted() throws Exception {
        try (var master = RedisNode.serverWithAcl();
                var replica = RedisNode.serverWithAcl("--replicaof", "127.0.0.1", Integer.toString(master.port()));
                var instances = InstanceGroup.with(IdentityScenario.environment(Map.of("REDIS_CLIENT_TYPE", "replication",
                        "REDIS_HOSTS", replica.userUrl() + ',' + master.userUrl())))) {
            new IdentityScenario("Replication: master killed, replica promoted", instances)
                    .losingChangesAfter(() -> awaitReplicas(master, 1))
                    .run(master::kill, () -> replica.command("REPLICAOF", "NO", "ONE"));
        }
    }

    @Test
    void sentinelsPromoteAReplica() throws Exception {
        try (var redis = new SentinelSet();
                var instances = InstanceGroup.with(IdentityScenario.environment(Map.of("REDIS_CLIENT_TYPE", "sentinel",
                        "REDIS_HOSTS", redis.urls(), "REDIS_MASTER_NAME", SentinelSet.NAME)))) {
            var master = redis.master();
            new IdentityScenario("Sentinel: master killed", instances).duration(Duration.ZERO)
                    .losingChangesAfter(() -> awaitReplicas(master, 2))
                    .run(master::kill, () -> redis.awaitMasterOtherThan(master));
        }
    }

    /** Waits until the replicas have all that was written. */
    private static void awaitReplicas(RedisNode master, long replicas) {
        Polling.await().until(() -> {
            try (var connection = master.connection()) {
                connection.command("SET", "marker", "1"); // WAIT waits for the writes of its connection, and all before these
                return Long.valueOf(replicas).equals(connection.command("WAIT", Long.toString(replicas), "1000"));
            }
        });
    }
}
