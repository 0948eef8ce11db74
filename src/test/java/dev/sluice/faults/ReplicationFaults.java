package dev.sluice.faults;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;

/** Master with a replica that is promoted manually. */
class ReplicationFaults {

    @Test
    void replicaIsPromoted() throws Exception {
        try (var master = RedisNode.serverWithAcl();
                var replica = RedisNode.serverWithAcl("--replicaof", "127.0.0.1", Integer.toString(master.port()));
                var fleet = InstanceGroup.with(Map.of("REDIS_CLIENT_TYPE", "replication", "REDIS_HOSTS",
                        replica.userUrl() + ',' + master.userUrl()))) {
            new FaultScenario("Replication: master killed, replica promoted", fleet).duration(Duration.ofSeconds(1)).run(
                    master::kill,
                    () -> replica.command("REPLICAOF", "NO", "ONE"));
        }
    }

    @Test
    void masterWithoutReplicas() throws Exception {
        try (var master = RedisNode.server();
                var fleet = InstanceGroup.with(Map.of("REDIS_CLIENT_TYPE", "replication", "REDIS_HOSTS", master.url()))) {
            new FaultScenario("Replication: master without replicas killed, restarted", fleet).run(master::kill, master::start);
        }
    }
}
