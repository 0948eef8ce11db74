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
        fleet = InstanceGroup.sharing(REDIS);
    }

    @AfterAll
    static void stop() {
        fleet.close();
        REDIS.close();
    }

    /** Restarts Redis, whatever state a test left it in. */
    @AfterEach
    void restartRedis() {
        REDIS.kill();
        REDIS.start();
    }

    private static FaultScenario scenario(String name) {
        return new FaultScenario(name, fleet);
    }

    @Test
    void restartedWithData() throws Exception {
        scenario("killed, restarted with its data").run(REDIS::kill, REDIS::start);
    }

    @Test
    void restartedEmpty() throws Exception {
        scenario("killed, restarted empty").run(REDIS::kill, () -> {
            REDIS.deleteData();
            REDIS.start();
        });
    }

    @Test
    void suspendedAndResumed() throws Exception {
        scenario("stopped (SIGSTOP), continued").run(REDIS::suspend, REDIS::resume);
        Awaitility.await("failed connection attempts to be closed")
                .until(() -> String.valueOf(REDIS.command("INFO", "clients")).contains("connected_clients:4")); // and the one that sends INFO
    }

    @Test
    void outOfMemory() throws Exception {
        scenario("full (noeviction), freed").run(() -> REDIS.command("CONFIG", "SET", "maxmemory", "1"),
                () -> REDIS.command("CONFIG", "SET", "maxmemory", "0"));
    }

    @Test
    void rejectsConnections() throws Exception {
        try (var own = REDIS.connection()) {
            scenario("no free connection (maxclients)").duration(Duration.ofSeconds(10)).run(() -> {
                own.command("CONFIG", "SET", "maxclients", "1");
                own.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
            }, () -> own.command("CONFIG", "SET", "maxclients", "1000"));
        }
    }

    @Test
    void scriptFlush() throws Exception {
        scenario("SCRIPT FLUSH").affecting().bound(FaultScenario.EXACT_BOUND).run(() -> REDIS.command("SCRIPT", "FLUSH"),
                () -> {
                });
    }

    /** Each pause is longer than the timeout and may cause one outage. */
    @Test
    void repeatedLongPauses() throws Exception {
        int pauses = 5;
        scenario("stopped (SIGSTOP) for 300 ms every 2 s").maybeAffecting(pauses).duration(Duration.ZERO).run(() -> {
            for (int i = 0; i < pauses; i++) {
                REDIS.suspend();
                TimeUnit.MILLISECONDS.sleep(300);
                REDIS.resume();
                TimeUnit.MILLISECONDS.sleep(1700);
            }
        }, () -> {
        });
    }

    /** Each pause is longer than the timeout, but no evidence that Redis is unavailable: the mode does not change. */
    @Test
    void repeatedShortPauses() throws Exception {
        scenario("stopped (SIGSTOP) for 180 ms every 2 s").maybeAffecting(0).duration(Duration.ZERO).run(() -> {
            for (int i = 0; i < 5; i++) {
                REDIS.suspend();
                TimeUnit.MILLISECONDS.sleep(180);
                REDIS.resume();
                TimeUnit.MILLISECONDS.sleep(1820);
            }
        }, () -> {
        });
    }

    @Test
    void repeatedScriptFlush() throws Exception {
        scenario("SCRIPT FLUSH every 20 ms for 3 s").affecting().bound(FaultScenario.EXACT_BOUND).run(() -> {
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
    void appendOnlyFileRewrite() throws Exception {
        try (var own = REDIS.connection()) {
            for (int i = 0; i < 20; i++) {
                own.command("DEBUG", "POPULATE", "10000", "other-" + i); // in batches, so that none blocks Redis for long
            }
            scenario("BGREWRITEAOF, three times, of 200,000 keys").affecting().bound(FaultScenario.EXACT_BOUND).run(() -> {
                for (int i = 0; i < 3; i++) {
                    own.command("BGREWRITEAOF");
                    Awaitility.await("rewritten").pollInterval(Duration.ofMillis(20)).until(() -> String
                            .valueOf(own.command("INFO", "persistence")).contains("aof_rewrite_in_progress:0"));
                }
            }, () -> {
            });
        }
        REDIS.kill();
        REDIS.deleteData(); // so that later starts have less to load
    }

    @Test
    void flushAll() throws Exception {
        scenario("FLUSHALL").affecting().bound(FaultScenario.DATA_LOSS_BOUND).run(() -> REDIS.command("FLUSHALL"), () -> {
        });
    }
}
