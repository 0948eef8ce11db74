package dev.sluice.cluster;

import static dev.sluice.cluster.ClusterMember.requests;
import static dev.sluice.cluster.ClusterMember.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import dev.sluice.testing.RealRedis;

/** What three instances promise together while Redis is away, and once it is back. */
class OutageTest {

    private static final Duration TEN_MINUTES = Duration.ofMinutes(10);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private RealRedis redis = RealRedis.start();
    private final List<ClusterMember> members = new ArrayList<>();

    @BeforeEach
    void threeInstances() {
        for (int i = 0; i < 3; i++) {
            members.add(new ClusterMember(redis.url()));
        }
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> member.fleet().size() == 3));
    }

    @AfterEach
    void stop() {
        members.forEach(ClusterMember::close);
        redis.close();
    }

    private void lose() {
        redis.close();
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.LOCAL));
    }

    /** Empty: this Redis writes nothing to disk. */
    private void restart() {
        redis = RealRedis.start(redis.port());
        awaitReturn();
    }

    private void awaitReturn() {
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
    }

    /** Round robin, as a load balancer does. */
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
        for (long limit : new long[]{3, 10, 11, 100, 1_000_000_000, QuotaUnit.NANODOLLARS.max()}) {
            assertThat(members.stream().mapToLong(member -> member.fleet().share(limit)).sum()).isEqualTo(limit);
        }
    }

    @Test
    void outageThatBeginsWithEmptyWindowsAdmitsTheLimitTogether() {
        lose();
        assertThat(admitted(300, "empty", requests(100))).isEqualTo(100);
    }

    @Test
    void outageGoesOnWithWhatWasAdmittedBefore() {
        assertThat(admitted(60, "before", requests(100))).isEqualTo(60);
        lose();
        assertThat(admitted(300, "before", requests(100))).isEqualTo(40);
    }

    @Test
    void unbalancedTrafficAdmitsLessThanTwiceTheLimit() {
        assertThat(members.get(0).admitted(200, "unbalanced", requests(90))).isEqualTo(90);
        lose();
        assertThat(admitted(300, "unbalanced", requests(90))).isEqualTo(60);
    }

    @Test
    void limitBelowTheNumberOfInstancesAdmitsOneEach() {
        lose();
        assertThat(admitted(30, "small", requests(1))).isEqualTo(3);
        assertThat(admitted(30, "smaller", requests(2))).isEqualTo(3);
    }

    @Test
    void answerTellsTheLimitAndWhatRemainsHere() {
        lose();
        var answer = members.get(0).take("told", requests(90));
        assertThat(answer.mode()).isEqualTo(DecisionMode.LOCAL);
        assertThat(answer.claims().get(0).limit()).isEqualTo(90);
        assertThat(answer.claims().get(0).share()).isEqualTo(30);
    }

    @Test
    void redisThatComesBackEmptyHoldsAllThatWasAdmitted() {
        int before = admitted(60, "returns", requests(100));
        lose();
        int during = admitted(30, "returns", requests(100));
        restart();
        assertThat(used("returns")).isEqualTo(before + during).isEqualTo(90);
        assertThat(admitted(60, "returns", requests(100))).isEqualTo(10);
        assertThat(admitted(60, "other", requests(17))).isEqualTo(17);
    }

    @Test
    void redisThatComesBackWithItsDataHoldsWhatWasAdmittedMeanwhileToo() {
        int before = admitted(60, "paused", requests(100));
        redis.send("CLIENT PAUSE 2000");
        await().atMost(PATIENCE).until(() -> {
            admitted(3, "somebody", requests(1_000));
            return members.stream().allMatch(member -> member.mode() == DecisionMode.LOCAL);
        });
        int during = admitted(30, "paused", requests(100));
        awaitReturn();
        assertThat(used("paused")).isEqualTo(before + during).isEqualTo(90);
        assertThat(admitted(60, "paused", requests(100))).isEqualTo(10);
    }

    /**
     * Decides during a pause of Redis that is longer than the timeout, and too short for an outage.
     *
     * @return null where the fallback is closed
     */
    private FailoverWindowStore.Outcome late(Supplier<FailoverWindowStore.Outcome> take) {
        redis.send("CLIENT PAUSE 800");
        try {
            return take.get();
        } catch (StoreUnavailableException e) {
            return null;
        } finally {
            assertThat(members).allMatch(member -> member.mode() == DecisionMode.REDIS);
        }
    }

    private void awaitUsed(String identifier, String resource, Duration window, long used) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(members.get(0).used(identifier, resource, window)).isEqualTo(used));
    }

    @ParameterizedTest
    @ValueSource(longs = {30, 30_000})
    void decisionThatRedisMakesTooLateIsCountedOnce(long limit) {
        admitted(9, "late", requests(limit));
        var late = late(() -> members.get(0).take("late", requests(limit)));
        assertThat(late.mode()).isEqualTo(DecisionMode.LOCAL);
        assertThat(late.result().admitted()).isTrue();
        awaitUsed("late", "r", TEN_MINUTES, 10);
        assertThat(remembered(members.get(0), "late")).as("here").isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 30_003})
    void whatTheFallbackDeniesIsGivenBackThoughRedisGrantsItTooLate(long limit) {
        var third = new WindowClaim("r", 600_000_000, limit, QuotaUnit.REQUESTS, limit / 3, false);
        assertThat(members.get(0).take("denied", third).result().admitted()).isTrue();
        var late = late(() -> members.get(0).take("denied", third));
        assertThat(late.result().admitted()).isFalse();
        // Redis decides in order: what it grants now comes behind what it granted too late.
        assertThat(members.get(0).take("behind", requests(1)).result().admitted()).isTrue();
        awaitUsed("denied", "r", TEN_MINUTES, limit / 3);
        assertThat(members.get(1).take("denied", third).result().admitted()).isTrue();
        assertThat(members.get(1).take("denied", third).result().admitted()).isTrue();
        assertThat(members.get(1).take("denied", third).result().admitted()).isFalse();
    }

    @Test
    void whatEndsWith503IsGivenBackWithItsReservation() {
        var closed = new WindowClaim("r", 600_000_000, 10, QuotaUnit.REQUESTS, 1, false, 10, FallbackPolicy.CLOSED);
        assertThat(late(() -> members.get(0).reserve("unavailable", closed, tokens(3000, 800)))).isNull();
        assertThat(members.get(0).take("behind", requests(1)).result().admitted()).isTrue();
        awaitUsed("unavailable", "r", TEN_MINUTES, 0);
        awaitUsed("unavailable", "tokens", Duration.ofHours(1), 0);
    }

    @Test
    void windowsInPartsComeBackToo() {
        int before = admitted(60, "ring", requests(100_000));
        lose();
        int during = admitted(30, "ring", requests(100_000));
        restart();
        assertThat(used("ring")).isEqualTo(before + during).isEqualTo(90);
    }

    @Test
    void redisThatIsEmptiedWhileItAnswersIsMeantToForget() {
        admitted(50, "flushed", requests(50));
        redis.send("FLUSHALL");
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> remembered(member, "flushed") == 0));
        assertThat(admitted(60, "flushed", requests(50))).isEqualTo(50);
        lose();
        assertThat(admitted(60, "flushed", requests(50))).isLessThanOrEqualTo(2);
        restart();
        assertThat(used("flushed")).isBetween(50L, 52L);
    }

    private static long remembered(ClusterMember member, String identifier) {
        return member.memory().usage(identifier, "r", TEN_MINUTES).await().indefinitely().current();
    }

    @Test
    void whatRedisLostIsBroughtBackOnceThoughItTakesSeveralAttempts() {
        admitted(60, "ring", requests(100_000));
        lose();
        redis = RealRedis.start(redis.port());
        // Nothing is there for the others to wait for: each connection is cut as soon as it has been used.
        for (int i = 0; i < 5; i++) {
            redis.send("CLIENT KILL TYPE normal SKIPME yes");
        }
        awaitReturn();
        redis.send("CLIENT KILL TYPE normal SKIPME yes");
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> member.mode() == DecisionMode.REDIS));
        assertThat(used("ring")).isEqualTo(60);
    }

    @Test
    void resetReachesEveryInstance() {
        admitted(30, "reset", requests(30));
        members.get(1).reset("reset");
        await().atMost(PATIENCE).until(() -> members.stream()
                .allMatch(member -> remembered(member, "reset") == 0));
        lose();
        assertThat(admitted(60, "reset", requests(30))).isEqualTo(30);
        restart();
        assertThat(used("reset")).isEqualTo(30);
    }

    @Test
    void reservationIsSettledAfterRedisHasReturned() {
        lose();
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
        lose();
        var reserved = members.get(0).reserve("llm", tokens(3000, 800));
        members.get(0).settle("llm", reserved, 120);
        restart();
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(120);
    }

    @Test
    void reservationMadeInRedisIsSettledInRedisThatHasForgottenIt() {
        var reserved = members.get(0).reserve("llm", tokens(3000, 800));
        lose();
        restart();
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(800);
        members.get(1).settle("llm", reserved, 120);
        assertThat(members.get(0).used("llm", "tokens", Duration.ofHours(1))).isEqualTo(120);
    }

    @Test
    void estimateIsNeverMoreThanTheShare() {
        lose();
        assertThat(members.get(0).reserve("estimate", tokens(3000, 2900)).result().admitted()).isTrue();
        assertThat(members.get(0).reserve("estimate", tokens(3000, 1)).result().admitted()).isFalse();
    }

    @Test
    void instanceThatIsGoneIsCountedNoMore() {
        members.remove(2).close();
        await().atMost(PATIENCE).until(() -> members.stream().allMatch(member -> member.fleet().size() == 2));
        members.add(new ClusterMember(redis.url()));
    }

    @Test
    void instanceThatHasNeverReachedRedisGoesByWhatItWasTold() {
        try (var lonely = new ClusterMember("redis://127.0.0.1:" + RealRedis.freePort(), FallbackPolicy.LOCAL, 4)) {
            assertThat(lonely.admitted(100, "lonely", requests(100))).isEqualTo(25);
        }
    }

    @Test
    void dryRunRefusesNothingWhateverTheFallback() {
        lose();
        var limiter = new DefaultRateLimiter(members.get(0).windows(), MicrosClock.SYSTEM, FallbackPolicy.CLOSED, true, true,
                List.of());
        var decision = limiter.check("dry", "r", Rate.parse("1/minute"), 1).await().atMost(PATIENCE);
        assertThat(decision.allowed()).isTrue();
        assertThat(decision.mode()).isEqualTo(DecisionMode.LOCAL); // of the instance; this demand alone is closed
    }

    @Test
    void fallbacksOfOneRequestTheStrictestHolds() {
        lose();
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
