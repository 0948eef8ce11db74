package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

import org.awaitility.Awaitility;

/** A cluster of three masters, each with one replica. */
public final class RedisCluster implements AutoCloseable {

    private static final int MASTERS = 3;
    private static final int SLOTS = 16384;

    private final List<RedisNode> nodes = new ArrayList<>();

    public RedisCluster() {
        for (int i = 0; i < 2 * MASTERS; i++) {
            nodes.add(RedisNode.serverWithAcl("--cluster-enabled", "yes", "--cluster-node-timeout", "1500",
                    "--cluster-replica-validity-factor", "0"));
        }
        for (var node : nodes.subList(1, nodes.size())) {
            node.command("CLUSTER", "MEET", "127.0.0.1", Integer.toString(nodes.get(0).port()));
        }
        for (int i = 0; i < MASTERS; i++) {
            nodes.get(i).command(addSlots(i * SLOTS / MASTERS, (i + 1) * SLOTS / MASTERS));
        }
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> nodes.stream().allMatch(RedisCluster::knowsAllNodes));
        for (int i = 0; i < MASTERS; i++) {
            nodes.get(MASTERS + i).command("CLUSTER", "REPLICATE", String.valueOf(nodes.get(i).command("CLUSTER", "MYID")));
        }
        awaitHealthy();
    }

    private static String[] addSlots(int from, int to) {
        var words = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
        for (int slot = from; slot < to; slot++) {
            words.add(Integer.toString(slot));
        }
        return words.toArray(String[]::new);
    }

    private static boolean knowsAllNodes(RedisNode node) {
        return info(node).contains("cluster_known_nodes:" + 2 * MASTERS);
    }

    private static boolean allSlotsServed(RedisNode node) {
        return info(node).contains("cluster_state:ok");
    }

    private static boolean hasReplica(RedisNode node) {
        var replication = String.valueOf(node.command("INFO", "replication"));
        return replication.contains("connected_slaves:1") && replication.contains("state=online");
    }

    private static String info(RedisNode node) {
        return String.valueOf(node.command("CLUSTER", "INFO"));
    }

    /** Returns one of the initial masters. */
    public RedisNode master(int number) {
        return nodes.get(number);
    }

    /** Returns the initial replica of a master. */
    public RedisNode replica(int number) {
        return nodes.get(MASTERS + number);
    }

    /** Waits until the replica is a master and all other nodes report that all slots are served. */
    public void awaitPromotion(RedisNode replica, RedisNode gone) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).ignoreExceptions()
                .until(() -> replica.isMaster()
                        && nodes.stream().filter(node -> node != gone).allMatch(RedisCluster::allSlotsServed));
    }

    /** Restarts or resumes all nodes, and waits until all slots are served and each master has its replica. */
    public void restore() {
        nodes.forEach(RedisNode::restore);
        awaitHealthy();
    }

    private void awaitHealthy() {
        Awaitility.await().atMost(Duration.ofSeconds(30)).ignoreExceptions()
                .until(() -> nodes.stream().allMatch(RedisCluster::allSlotsServed)
                        && nodes.stream().filter(RedisNode::isMaster).count() == MASTERS
                        && nodes.stream().filter(RedisNode::isMaster).allMatch(RedisCluster::hasReplica));
    }

    public String urls() {
        return nodes.stream().map(RedisNode::userUrl).collect(Collectors.joining(","));
    }

    @Override
    public void close() {
        nodes.forEach(RedisNode::close);
    }
}
