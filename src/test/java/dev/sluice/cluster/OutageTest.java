package dev.sluice.cluster;

import static dev.sluice.cluster.ClusterMember.requests;
import static dev.sluice.cluster.ClusterMember.tokens;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.DefaultRateLimiter;
import dev.sluice.engine.FailoverWindowStore;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.WindowClaim;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.RedisTestServer;

/** Guarantees of three instances together during and after an outage of Redis. */
class OutageTest {

    private static final Duration TEN_MINUTES = Duration.ofMinutes(10);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private RedisTestServer redis = RedisTestServer.start();
    private final List<ClusterMember> members = new ArrayList<>();

    @BeforeEach
    void threeInstances() {
        for (int i = 0; i < 3; i++) {
            members.add(new ClusterMember(redis.url()));
        }
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.registry().size() == 3));
    }

    @AfterEach
    void stop() {
        members.forEach(ClusterMember::close);
        redis.close();
    }

    private void stopRedis() {
        redis.close();
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.LOCAL));
    }

    /** Restarts Redis empty: it writes nothing to disk. */
    private void restart() {
        redis = RedisTestServer.start(redis.port());
        awaitRecovery();
    }

    private void awaitRecovery() {
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
    }

    /** Distributes requests round robin, as a load balancer does. */
    private int admitted(int requests, String identifier, WindowClaim claim) {
        int admitted = 0;
        for (int i = 0; i < requests; i++) {
            admitted += members.get(i % 3).take(identifier, claim).result().admitted() ? 1 : 0;
        }
        return admitted;
    }

    private long used(String identifier) {
        return members.get(0).used(identifier, "r", TEN_MINUTES);
    }

    @Test
    void sharesAddUpToTheLimit() {
        for (long limit : new long[]{3, 10, 11, 100, 1_000_000_000, QuotaUnit.NANODOLLARS.maxLimit()}) {
            assertThat(members.stream().mapToLong(member -> member.registry().share(limit)).sum()).isEqualTo(limit);
        }
    }

    @Test
    void outageThatBeginsWithEmptyWindowsAdmitsTheLimitTogether() {
        stopRedis();
        assertThat(admitted(300, "empty", requests(100))).isEqualTo(100);
    }

    @Test
    void outageContinuesWithUsageFromBefore() {
        assertThat(admitted(60, "before", requests(100))).isEqualTo(60);
        stopRedis();
        assertThat(admitted(300, "before", requests(100))).isEqualTo(40);
    }

    @Test
    void unbalancedTrafficAdmitsLessThanTwiceTheLimit() {
        assertThat(members.get(0).admitted(200, "unbalanced", requests(90))).isEqualTo(90);
        stopRedis();
        assertThat(admitted(300, "unbalanced", requests(90))).isEqualTo(60);
    }

    @Test
    void limitBelowTheNumberOfInstancesAdmitsOneEach() {
        stopRedis();
        assertThat(admitted(30, "small", requests(1))).isEqualTo(3);
        assertThat(admitted(30, "smaller", requests(2))).isEqualTo(3);
    }

    @Test
    void outcomeHasTheLimitAndThisInstancesShare() {
        stopRedis();
        var outcome = members.get(0).take("told", requests(90));
        assertThat(outcome.mode()).isEqualTo(DecisionMode.LOCAL);
        assertThat(outcome.claims().get(0).limit()).isEqualTo(90);
        assertThat(outcome.claims().get(0).share()).isEqualTo(30);
    }

    @Test
    void redisThatRestartsEmptyCountsAllGrants() {
        int before = admitted(60, "returns", requests(100));
        stopRedis();
        int during = admitted(30, "returns", requests(100));
        restart();
        assertThat(used("returns")).isEqualTo(before + during).isEqualTo(90);
        assertThat(admitted(60, "returns", requests(100))).isEqualTo(10);
        assertThat(admitted(60, "other", requests(17))).isEqualTo(17);
    }

    @Test
    void redisThatRecoversWithItsDataCountsGrantsOfTheOutageToo() {
        int before = admitted(60, "paused", requests(100));
        redis.suspend();
        await().atMost(TIMEOUT).until(() -> {
            admitted(3, "somebody", requests(1_000));
            return members.stream().allMatch(member -> member.mode() == DecisionMode.LOCAL);
        });
        int during = admitted(30, "paused", requests(100));
        redis.resume();
        awaitRecovery();
        assertThat(used("paused")).isEqualTo(before + during).isEqualTo(90);
        assertThat(admitted(60, "paused", requests(100))).isEqualTo(10);
    }

    /**
     * Decides during a pause of Redis that is longer than the timeout, and too short for an outage.
     *
     * @return null if the fallback is closed
     */
    private FailoverWindowStore.Outcome late(Supplier<FailoverWindowStore.Outcome> take) {
        redis.suspend();
        try {
            return take.get();
        } catch (StoreUnavailableException e) {
            return null;
        } finally {
            redis.resume();
            assertThat(members).allMatch(member -> member.mode() == DecisionMode.REDIS);
        }
    }

    private void awaitUsed(String identifier, String resource, Duration window, long used) {
        await().atMost(TIMEOUT)
                .untilAsserted(() -> assertThat(members.get(0).used(identifier, resource, window)).isEqualTo(used));
    }

    @ParameterizedTest
    @ValueSource(longs = {30, 30_000})
    void lateDecisionOfRedisIsCountedOnce(long limit) {
        admitted(9, "late", requests(limit));
        var late = late(() -> members.get(0).take("late", requests(limit)));
        assertThat(late.mode()).isEqualTo(DecisionMode.LOCAL);
        assertThat(late.result().admitted()).isTrue();
        awaitUsed("late", "r", TEN_MINUTES, 10);
        assertThat(usedInMemory(members.get(0), "late")).as("here").isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 30_003})
    void lateGrantOfRedisIsRefundedIfTheFallbackDenies(long limit) {
        var third = new WindowClaim("r", 600_000_000, limit, QuotaUnit.REQUESTS, limit / 3, false);
        assertThat(members.get(0).take("denied", third).result().admitted()).isTrue();
        var late = late(() -> members.get(0).take("denied", third));
        assertThat(late.result().admitted()).isFalse();
        // Redis decides in order: this grant follows the late one.
        assertThat(members.get(0).take("behind", requests(1)).result().admitted()).isTrue();
        awaitUsed("denied", "r", TEN_MINUTES, limit / 3);
        assertThat(members.get(1).take("denied", third).result().admitted()).isTrue();
        assertThat(members.get(1).take("denied", third).result().admitted()).isTrue();
        assertThat(members.get(1).take("denied", third).result().admitted()).isFalse();
    }

    @Test
    void lateGrantIsRefundedWithItsReservationIfTheFallbackIsClosed() {
        var closed = new WindowClaim("r", 600_000_000, 10, QuotaUnit.REQUESTS, 1, false, 10, FallbackPolicy.CLOSED);
        assertThat(late(() -> members.get(0).reserve("unavailable", closed, tokens(3000, 800)))).isNull();
        assertThat(members.get(0).take("behind", requests(1)).result().admitted()).isTrue();
        awaitUsed("unavailable", "r", TEN_MINUTES, 0);
        awaitUsed("unavailable", "tokens", Duration.ofHours(1), 0);
    }

    @Test
    void slidingWindowCountersAreRestoredToo() {
        int before = admitted(60, "ring", requests(100_000));
        stopRedis();
        int during = admitted(30, "ring", requests(100_000));
        restart();
        assertThat(used("ring")).isEqualTo(before + during).isEqualTo(90);
    }

    @Test
    void flushOfAnAvailableRedisResetsAllWindows() {
        admitted(50, "flushed", requests(50));
        redis.send("FLUSHALL");
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> usedInMemory(member, "flushed") == 0));
        assertThat(admitted(60, "flushed", requests(50))).isEqualTo(50);
        stopRedis();
        assertThat(admitted(60, "flushed", requests(50))).isLessThanOrEqualTo(2);
        restart();
        assertThat(used("flushed")).isBetween(50L, 52L);
    }

    private static long usedInMemory(ClusterMember member, String identifier) {
        return member.memory().usage(identifier, "r", TEN_MINUTES).await().indefinitely().used();
    }

    @Test
    void lostUsageIsRestoredOnceDespiteSeveralAttempts() {
        admitted(60, "ring", requests(100_000));
        stopRedis();
        redis = RedisTestServer.start(redis.port());
        // Each new connection is killed after its first use, so that recovery takes several attempts.
        for (int i = 0; i < 5; i++) {
            redis.send("CLIENT KILL TYPE normal SKIPME yes");
        }
        awaitRecovery();
        redis.send("CLIENT KILL TYPE normal SKIPME yes");
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
        assertThat(used("ring")).isEqualTo(60);
    }

    @Test
    void resetReachesEveryInstance() {
        admitted(30, "reset", requests(30));
        members.get(1).reset("reset");
        await().atMost(TIMEOUT).until(() -> members.stream()
                .allMatch(member -> usedInMemory(member, "reset") == 0));
        stopRedis();
        assertThat(admitted(60, "reset", requests(30))).isEqualTo(30);
        restart();
        assertThat(used("reset")).isEqualTo(30);
    }

    @Test
    void reservationIsSettledAfterRedisHasReturned() {
        stopRedis();
        var reserved = members.get(0).reserve("llm", tokens(3000, 800));
        assertThat(reserved.reservation()).isNotNull();
        restart();
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(800);
        members.get(0).settle("llm", reserved, 120);
        members.get(0).settle("llm", reserved, 120);
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(120);
    }

    @Test
    void reservationSettledWhileRedisIsAwayIsBroughtBackAsItWasSettled() {
        stopRedis();
        var reserved = members.get(0).reserve("llm", tokens(3000, 800));
        members.get(0).settle("llm", reserved, 120);
        restart();
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(120);
    }

    @Test
    void reservationMadeInRedisIsSettledInARedisThatLostIt() {
        var reserved = members.get(0).reserve("llm", tokens(3000, 800));
        stopRedis();
        restart();
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(800);
        members.get(1).settle("llm", reserved, 120);
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(120);
    }

    @Test
    void estimateIsNeverMoreThanTheShare() {
        stopRedis();
        assertThat(members.get(0).reserve("estimate", tokens(3000, 2900)).result().admitted()).isTrue();
        assertThat(members.get(0).reserve("estimate", tokens(3000, 1)).result().admitted()).isFalse();
    }

    @Test
    void instanceThatIsGoneIsCountedNoMore() {
        members.remove(2).close();
        await().atMost(TIMEOUT).until(() -> members.stream().allMatch(member -> member.registry().size() == 2));
        members.add(new ClusterMember(redis.url()));
    }

    @Test
    void instanceThatHasNeverReachedRedisUsesTheConfiguredCount() {
        try (var lonely = new ClusterMember("redis://127.0.0.1:" + FreePorts.next(), FallbackPolicy.LOCAL, 4)) {
            assertThat(lonely.admitted(100, "lonely", requests(100))).isEqualTo(25);
        }
    }

    @Test
    void dryRunDeniesNothingWhateverTheFallback() {
        stopRedis();
        var limiter = new DefaultRateLimiter(members.get(0).store(), null, MicrosClock.SYSTEM, FallbackPolicy.CLOSED, true,
                true,
                List.of());
        var decision = limiter.check("dry", "r", Rate.parse("1/minute"), 1).await().atMost(TIMEOUT);
        assertThat(decision.allowed()).isTrue();
        assertThat(decision.mode()).isEqualTo(DecisionMode.LOCAL); // of the instance; only this check is closed
    }

    @Test
    void fallbacksOfOneRequestTheStrictestHolds() {
        stopRedis();
        var open = new WindowClaim("open", 60_000_000, 1, QuotaUnit.REQUESTS, 1, false, 1, FallbackPolicy.OPEN);
        var closed = new WindowClaim("closed", 60_000_000, 1, QuotaUnit.REQUESTS, 1, false, 1, FallbackPolicy.CLOSED);
        var member = members.get(0);
        assertThat(member.take("f", open).mode()).isEqualTo(DecisionMode.OPEN);
        var mixed = member.take("f", open, requests(9));
        assertThat(mixed.mode()).isEqualTo(DecisionMode.LOCAL);
        assertThat(mixed.claims()).extracting(WindowClaim::resource).containsExactly("r");
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> member.take("f", open, requests(9), closed)))
                .isInstanceOf(StoreUnavailableException.class);
        assertThat(member.used("f", "r", TEN_MINUTES)).isEqualTo(1);
    }
}
