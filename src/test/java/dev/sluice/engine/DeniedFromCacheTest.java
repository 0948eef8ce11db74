package dev.sluice.engine;

import static dev.sluice.cluster.ClusterMember.requests;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import dev.sluice.api.QuotaUnit;
import dev.sluice.cluster.ClusterMember;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.RedisTestServer;

/** Denials from the cache, on a real Redis with two instances. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeniedFromCacheTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private RedisTestServer redis;
    private ClusterMember one;
    private ClusterMember other;

    @BeforeAll
    void start() {
        redis = RedisTestServer.start();
        one = new ClusterMember(redis.url());
        other = new ClusterMember(redis.url());
    }

    @AfterAll
    void stop() {
        one.close();
        other.close();
        redis.close();
    }

    /** Repeats a request, which no window may admit, until it is denied from the cache. */
    private static void awaitDenialFromCache(ClusterMember member, String identifier, WindowClaim claim) {
        await().atMost(TIMEOUT).until(() -> {
            long before = member.store().deniedFromCache();
            assertThat(member.take(identifier, claim).result().admitted()).isFalse();
            return member.store().deniedFromCache() > before;
        });
    }

    private static void awaitAnyDenialFromCache(ClusterMember member, String identifier, WindowClaim claim) {
        await().atMost(TIMEOUT).until(() -> {
            long before = member.store().deniedFromCache();
            return !member.take(identifier, claim).result().admitted() && member.store().deniedFromCache() > before;
        });
    }

    @Test
    void resetOfOneInstanceReachesTheOther() {
        for (int round = 0; round < 5; round++) {
            assertThat(one.admitted(10, "reset", requests(10))).isEqualTo(10);
            awaitDenialFromCache(other, "reset", requests(10));
            awaitDenialFromCache(one, "reset", requests(10));
            one.reset("reset");
            assertThat(one.take("reset", requests(10)).result().admitted()).as("the instance that was called").isTrue();
            await().atMost(TIMEOUT).until(() -> other.take("reset", requests(10)).result().admitted());
            one.reset("reset");
            await().atMost(TIMEOUT).until(() -> other.admitted(1, "reset", requests(10)) == 1);
            one.reset("reset");
        }
    }

    @Test
    void raisedLimitIsDecidedByRedis() {
        assertThat(one.admitted(10, "raised", requests(10))).isEqualTo(10);
        awaitDenialFromCache(one, "raised", requests(10));
        assertThat(one.admitted(5, "raised", requests(12))).isEqualTo(2);
        awaitDenialFromCache(one, "raised", requests(10));
    }

    @Test
    void requestAfterRetryAfterIsAdmitted() {
        var second = new WindowClaim("second", 1_000_000, 5, QuotaUnit.REQUESTS, 1, false);
        assertThat(one.admitted(5, "waits", second)).isEqualTo(5);
        for (int round = 0; round < 3; round++) {
            var denied = exhaust("waits", second);
            long wait = denied.windows()[0].retryAt() - denied.now();
            long until = System.nanoTime() + 1000 * wait;
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(1)).until(() -> System.nanoTime() >= until);
            assertThat(one.admitted(1, "waits", second)).as("round " + round).isEqualTo(1);
            long begin = System.nanoTime();
            int more = one.admitted(10, "waits", second);
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
            assertThat(more).isLessThanOrEqualTo((int) (5 * (seconds + 1)));
        }
    }

    /** Makes requests of both instances until each is denied from its cache; units may become available meanwhile. */
    private StoreResult exhaust(String identifier, WindowClaim claim) {
        StoreResult denied;
        do {
            awaitAnyDenialFromCache(one, identifier, claim);
            awaitAnyDenialFromCache(other, identifier, claim);
            denied = one.take(identifier, claim).result();
        } while (denied.admitted());
        return denied;
    }

    @Test
    void emptiedRedisIsDetected() {
        assertThat(one.admitted(10, "flushed", requests(10))).isEqualTo(10);
        awaitDenialFromCache(one, "flushed", requests(10));
        redis.send("FLUSHALL");
        await().atMost(TIMEOUT).until(() -> one.take("flushed", requests(10)).result().admitted());
    }
}
