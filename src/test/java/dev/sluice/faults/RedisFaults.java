package dev.sluice.faults;

import java.time.Duration;
import java.util.Map;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.Fleet;
import dev.sluice.testing.faults.Ordeal;
import dev.sluice.testing.faults.RedisNode;

/** What one Redis server can do to three instances. */
class RedisFaults {

    private static final RedisNode REDIS = RedisNode.server();
    private static Fleet fleet;

    @BeforeAll
    static void start() {
        fleet = Fleet.with(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(REDIS.port())));
    }

    @AfterAll
    static void stop() {
        fleet.close();
        REDIS.close();
    }

    /** Whatever a test left behind. */
    @AfterEach
    void heal() {
        REDIS.kill();
        REDIS.start();
    }

    private static Ordeal ordeal(String name) {
        return new Ordeal(name, fleet);
    }

    @Test
    void killedAndStartedWithItsData() throws Exception {
        ordeal("killed, started again with its data").run(REDIS::kill, REDIS::start);
    }

    @Test
    void killedAndStartedEmpty() throws Exception {
        ordeal("killed, started again empty").run(REDIS::kill, () -> {
            REDIS.forget();
            REDIS.start();
        });
    }

    @Test
    void stoppedAndContinued() throws Exception {
        ordeal("stopped (SIGSTOP), continued").run(REDIS::freeze, REDIS::thaw);
        Awaitility.await("attempts that came to nothing to be closed")
                .until(() -> String.valueOf(REDIS.command("INFO", "clients")).contains("connected_clients:4")); // and the one that asks
    }

    @Test
    void fullAndFreed() throws Exception {
        ordeal("full (noeviction), freed").run(() -> REDIS.command("CONFIG", "SET", "maxmemory", "1"),
                () -> REDIS.command("CONFIG", "SET", "maxmemory", "0"));
    }

    @Test
    void takesNoConnections() throws Exception {
        try (var own = REDIS.connection()) {
            ordeal("no free connection (maxclients)").lasting(Duration.ofSeconds(10)).run(() -> {
                own.command("CONFIG", "SET", "maxclients", "1");
                own.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
            }, () -> own.command("CONFIG", "SET", "maxclients", "1000"));
        }
    }

    @Test
    void forgetsItsScripts() throws Exception {
        ordeal("SCRIPT FLUSH").losing().bound(Ordeal.EXACT).run(() -> REDIS.command("SCRIPT", "FLUSH"), () -> {
        });
    }

    @Test
    void forgetsItsData() throws Exception {
        ordeal("FLUSHALL").losing().bound(Ordeal.FORGOTTEN).run(() -> REDIS.command("FLUSHALL"), () -> {
        });
    }
}
