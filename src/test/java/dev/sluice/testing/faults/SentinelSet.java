package dev.sluice.testing.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

import org.awaitility.Awaitility;

/** Redis master with two replicas, monitored by three sentinels. */
public final class SentinelSet implements AutoCloseable {

    public static final String NAME = "sluice-master";
    private static final int SENTINELS = 3;

    private final List<RedisNode> servers = new ArrayList<>();
    private final List<RedisNode> sentinels = new ArrayList<>();

    public SentinelSet() {
        var master = RedisNode.server();
        servers.add(master);
        for (int i = 0; i < 2; i++) {
            servers.add(RedisNode.server("--replicaof", "127.0.0.1", Integer.toString(master.port())));
        }
        Awaitility.await().until(() -> String.valueOf(master.command("INFO", "replication")).contains("connected_slaves:2"));
        for (int i = 0; i < SENTINELS; i++) {
            sentinels.add(RedisNode.sentinel("""
                    sentinel monitor %1$s 127.0.0.1 %2$d 2
                    sentinel down-after-milliseconds %1$s 1000
                    sentinel failover-timeout %1$s 5000
                    """.formatted(NAME, master.port())));
        }
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> sentinels.stream().allMatch(SentinelSet::knowsAllNodes));
    }

    private static boolean knowsAllNodes(RedisNode sentinel) {
        return sentinel.command("SENTINEL", "SENTINELS", NAME) instanceof List<?> others && others.size() == SENTINELS - 1
                && sentinel.command("SENTINEL", "REPLICAS", NAME) instanceof List<?> replicas && replicas.size() == 2;
    }

    /** Returns the current master, or null if there is none. */
    public RedisNode master() {
        return servers.stream().filter(RedisNode::isMaster).findFirst().orElse(null);
    }

    /** Waits until another server is the master and a sentinel reports it. */
    public void awaitMasterOtherThan(RedisNode old) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).ignoreExceptions().until(() -> {
            var now = servers.stream().filter(server -> server != old).filter(RedisNode::isMaster).findFirst();
            return now.isPresent()
                    && sentinels.subList(1, SENTINELS).stream().anyMatch(sentinel -> agreesOnMaster(sentinel, now.get()));
        });
    }

    /** Restarts or resumes all processes, and waits until all servers replicate one master. */
    public void restore() {
        sentinels.forEach(RedisNode::restore);
        servers.forEach(RedisNode::restore);
        Awaitility.await().atMost(Duration.ofSeconds(40)).ignoreExceptions()
                .until(() -> servers.stream().filter(RedisNode::isMaster).count() == 1
                        && servers.stream().allMatch(server -> server.isMaster() || isReplicating(server))
                        && sentinels.stream().allMatch(sentinel -> agreesOnMaster(sentinel, master())));
    }

    private static boolean isReplicating(RedisNode server) {
        return String.valueOf(server.command("INFO", "replication")).contains("master_link_status:up");
    }

    private static boolean agreesOnMaster(RedisNode sentinel, RedisNode master) {
        return sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME) instanceof List<?> address
                && address.get(1).equals(Integer.toString(master.port()));
    }

    public List<RedisNode> sentinels() {
        return sentinels;
    }

    public String urls() {
        return sentinels.stream().map(RedisNode::url).collect(Collectors.joining(","));
    }

    @Override
    public void close() {
        sentinels.forEach(RedisNode::close);
        servers.forEach(RedisNode::close);
    }
}
