package dev.sluice.faults;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.faults.FaultScenario;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.faults.RedisNode;

/** Faults of a single Redis server with three instances. */
class RedisFaults {

    private static final RedisNode REDIS = RedisNode.server();
    private static InstanceGroup fleet;

    @BeforeAll
    static void start() {
        fleet = InstanceGroup.on(REDIS);
    }

    @AfterAll
    static void stop() {
        fleet.close();
        REDIS.close();
    }

    /** Restarts Redis, whatever state a test left it in. */
    @AfterEach
    void heal() {
        REDIS.kill();
        REDIS.start();
    }

    private static FaultScenario ordeal(String name) {
        return new FaultScenario(name, fleet);
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
                .until(() -> String.valueOf(REDIS.command("INFO", "clients")).contains("connected_clients:4")); // and the one that sends INFO
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
    void scriptsAreFlushed() throws Exception {
        ordeal("SCRIPT FLUSH").losing().bound(FaultScenario.EXACT).run(() -> REDIS.command("SCRIPT", "FLUSH"), () -> {
        });
    }

    /** Each pause is longer than the timeout and may cause one outage. */
    @Test
    void pausesRepeatedly() throws Exception {
        int pauses = 5;
        ordeal("stopped (SIGSTOP) for 300 ms every 2 s").perhapsLosing(pauses).lasting(Duration.ZERO).run(() -> {
            for (int i = 0; i < pauses; i++) {
                REDIS.freeze();
                TimeUnit.MILLISECONDS.sleep(300);
                REDIS.thaw();
                TimeUnit.MILLISECONDS.sleep(1700);
            }
        }, () -> {
        });
    }

    /** Each pause is longer than the timeout, but no evidence that Redis is unavailable: the mode does not change. */
    @Test
    void pausesBriefly() throws Exception {
        ordeal("stopped (SIGSTOP) for 180 ms every 2 s").perhapsLosing(0).lasting(Duration.ZERO).run(() -> {
            for (int i = 0; i < 5; i++) {
                REDIS.freeze();
                TimeUnit.MILLISECONDS.sleep(180);
                REDIS.thaw();
                TimeUnit.MILLISECONDS.sleep(1820);
            }
        }, () -> {
        });
    }

    @Test
    void scriptsAreFlushedRepeatedly() throws Exception {
        ordeal("SCRIPT FLUSH every 20 ms for 3 s").losing().bound(FaultScenario.EXACT).run(() -> {
            try (var own = REDIS.connection()) {
                for (int i = 0; i < 150; i++) {
                    own.command("SCRIPT", "FLUSH");
                    TimeUnit.MILLISECONDS.sleep(20);
                }
            }
        }, () -> {
        });
    }

    @Test
    void rewritesItsFile() throws Exception {
        try (var own = REDIS.connection()) {
            for (int i = 0; i < 20; i++) {
                own.command("DEBUG", "POPULATE", "10000", "other-" + i); // in steps, so that none takes long
            }
            ordeal("BGREWRITEAOF, three times, of 200,000 keys").losing().bound(FaultScenario.EXACT).run(() -> {
                for (int i = 0; i < 3; i++) {
                    own.command("BGREWRITEAOF");
                    Awaitility.await("rewritten").pollInterval(Duration.ofMillis(20)).until(() -> String
                            .valueOf(own.command("INFO", "persistence")).contains("aof_rewrite_in_progress:0"));
                }
            }, () -> {
            });
        }
        REDIS.kill();
        REDIS.forget(); // so that later starts have less to load
    }

    @Test
    void dataIsFlushed() throws Exception {
        ordeal("FLUSHALL").losing().bound(FaultScenario.FORGOTTEN).run(() -> REDIS.command("FLUSHALL"), () -> {
        });
    }
}
