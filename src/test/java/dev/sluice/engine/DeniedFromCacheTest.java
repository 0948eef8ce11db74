package dev.sluice.engine;

import static dev.sluice.cluster.ClusterMember.requests;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import dev.sluice.api.QuotaUnit;
import dev.sluice.cluster.ClusterMember;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.RealRedis;

/** Refusals from memory, on a real Redis with two instances. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeniedFromCacheTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private RealRedis redis;
    private ClusterMember one;
    private ClusterMember other;

    @BeforeAll
    void start() {
        redis = RealRedis.start();
        one = new ClusterMember(redis.url());
        other = new ClusterMember(redis.url());
    }

    @AfterAll
    void stop() {
        one.close();
        other.close();
        redis.close();
    }

    /** Until nothing but memory is asked. */
    private static void refusedFromMemory(ClusterMember member, String identifier, WindowClaim claim) {
        await().atMost(PATIENCE).until(() -> {
            long before = member.windows().deniedFromCache();
            assertThat(member.take(identifier, claim).result().admitted()).isFalse();
            return member.windows().deniedFromCache() > before;
        });
    }

    @Test
    void resetOfOneInstanceIsHeardByTheOther() {
        for (int round = 0; round < 5; round++) {
            assertThat(one.admitted(10, "reset", requests(10))).isEqualTo(10);
            refusedFromMemory(other, "reset", requests(10));
            refusedFromMemory(one, "reset", requests(10));
            one.reset("reset");
            assertThat(one.take("reset", requests(10)).result().admitted()).as("the one that was asked").isTrue();
            await().atMost(PATIENCE).until(() -> other.take("reset", requests(10)).result().admitted());
            one.reset("reset");
            await().atMost(PATIENCE).until(() -> other.admitted(1, "reset", requests(10)) == 1);
            one.reset("reset");
        }
    }

    @Test
    void raisedLimitIsAskedFor() {
        assertThat(one.admitted(10, "raised", requests(10))).isEqualTo(10);
        refusedFromMemory(one, "raised", requests(10));
        assertThat(one.admitted(5, "raised", requests(12))).isEqualTo(2);
        refusedFromMemory(one, "raised", requests(10));
    }

    @Test
    void whoWaitsAsLongAsHeIsToldGetsIn() {
        var second = new WindowClaim("second", 1_000_000, 5, QuotaUnit.REQUESTS, 1, false);
        assertThat(one.admitted(5, "waits", second)).isEqualTo(5);
        for (int round = 0; round < 3; round++) {
            refusedFromMemory(one, "waits", second);
            refusedFromMemory(other, "waits", second);
            var refused = one.take("waits", second).result();
            if (!refused.admitted()) {
                long wait = refused.windows()[0].retryAt() - refused.now();
                long until = System.nanoTime() + 1000 * wait;
                await().atMost(PATIENCE).pollInterval(Duration.ofMillis(1)).until(() -> System.nanoTime() >= until);
            }
            assertThat(one.admitted(1, "waits", second)).as("round " + round).isEqualTo(1);
            int more = one.admitted(10, "waits", second);
            assertThat(more).isLessThanOrEqualTo(5);
        }
    }

    @Test
    void emptiedRedisIsNoticed() {
        assertThat(one.admitted(10, "flushed", requests(10))).isEqualTo(10);
        refusedFromMemory(one, "flushed", requests(10));
        redis.send("FLUSHALL");
        await().atMost(PATIENCE).until(() -> one.take("flushed", requests(10)).result().admitted());
    }
}
