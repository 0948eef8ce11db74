package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;

/** Decisions on windows of several identifiers, in memory and in Redis. */
class JointDecisionTest extends StoresTestBase {

    private static final long SECOND = 1_000_000;

    private static WindowClaim claim(String resource, long seconds, long limit, long cost, Enforcement enforcement) {
        return new WindowClaim(resource, seconds * SECOND, limit, QuotaUnit.REQUESTS, cost, false, limit, FallbackPolicy.LOCAL,
                enforcement);
    }

    private static WindowClaim enforced(long limit, long cost) {
        return claim("r", 60, limit, cost, Enforcement.ENFORCED);
    }

    private static WindowClaim with(Enforcement enforcement, long limit, long cost) {
        return claim("r", 60, limit, cost, enforcement);
    }

    /** One claim for each of the identifiers prefix1, prefix2 and so on. */
    private static JointRequest request(String prefix, WindowClaim... claims) {
        return new JointRequest(IntStream.rangeClosed(1, claims.length).mapToObj(i -> "rls:" + prefix + ":i=" + i).toList(),
                new JointPlan(java.util.Arrays.stream(claims).map(List::of).toList()));
    }

    private static StoreResult take(StoreUnderTest store, JointRequest request) {
        return take(store, request, true, null);
    }

    private static StoreResult take(StoreUnderTest store, JointRequest request, boolean consume) {
        return take(store, request, consume, null);
    }

    private static long used(StoreUnderTest store, String prefix, int number) {
        return store.used("rls:" + prefix + ":i=" + number, "r", 60);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void allAreTakenOrNone(StoreUnderTest store) {
        for (int i = 1; i <= 3; i++) {
            var granted = take(store, request("all", enforced(3, 1), enforced(100, 2)));
            assertThat(granted.admitted()).isTrue();
            assertThat(granted.windows()[0].used()).isEqualTo(i);
            assertThat(granted.windows()[1].used()).isEqualTo(2 * i);
        }
        var denied = take(store, request("all", enforced(3, 1), enforced(100, 2)));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].retryAt()).isEqualTo(store.now() + 60 * SECOND);
        assertThat(denied.windows()[1].retryAt()).isZero();
        assertThat(used(store, "all", 1)).isEqualTo(3);
        assertThat(used(store, "all", 2)).isEqualTo(6);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void costOfZeroAsksForOneUnit(StoreUnderTest store) {
        assertThat(take(store, request("zero", enforced(2, 0), enforced(10, 1))).admitted()).isTrue();
        assertThat(used(store, "zero", 1)).isZero();
        take(store, request("zero", enforced(2, 2)));
        var denied = take(store, request("zero", enforced(2, 0), enforced(10, 1)));
        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[0].used()).isEqualTo(2);
        assertThat(used(store, "zero", 2)).isEqualTo(1);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void queriesTakeNothing(StoreUnderTest store) {
        assertThat(take(store, request("query", enforced(5, 5), with(Enforcement.CHARGED, 5, 9)), false).admitted()).isTrue();
        assertThat(take(store, request("query", enforced(5, 6)), false).admitted()).isFalse();
        assertThat(used(store, "query", 1)).isZero();
        assertThat(used(store, "query", 2)).isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void shadowsDenyNothingAndTakeWhatFits(StoreUnderTest store) {
        for (int i = 1; i <= 4; i++) {
            var granted = take(store, request("shadow", with(Enforcement.SHADOW, 2, 1), enforced(3, 1)));
            assertThat(granted.admitted()).isEqualTo(i <= 3);
            assertThat(granted.windows()[0].used()).isEqualTo(Math.min(i, 2));
            assertThat(granted.windows()[0].retryAt() != 0).isEqualTo(i > 2);
        }
        assertThat(used(store, "shadow", 2)).isEqualTo(3);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void quotasDenyIfAllAreExhausted(StoreUnderTest store) {
        var request = request("quota", with(Enforcement.QUOTA, 1, 1), with(Enforcement.QUOTA, 2, 1), enforced(100, 1));
        assertThat(take(store, request).admitted()).isTrue();
        assertThat(take(store, request).admitted()).isTrue();
        assertThat(take(store, request).admitted()).isFalse();
        assertThat(used(store, "quota", 1)).isEqualTo(1);
        assertThat(used(store, "quota", 2)).isEqualTo(2);
        assertThat(used(store, "quota", 3)).isEqualTo(2);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void chargesAreTakenBeyondTheLimit(StoreUnderTest store) {
        long start = store.now();
        assertThat(take(store, request("charge", with(Enforcement.CHARGED, 100, 60))).admitted()).isTrue();
        assertThat(take(store, request("charge", with(Enforcement.CHARGED, 100, 4_000_000_000L))).admitted()).isTrue();
        var exhausted = take(store, request("charge", with(Enforcement.CHARGED, 100, 7), enforced(10, 1)));
        assertThat(exhausted.admitted()).isFalse();
        assertThat(exhausted.windows()[0].used()).isEqualTo(4_000_000_067L);
        assertThat(exhausted.windows()[0].retryAt()).isBetween(start + 60 * SECOND, start + 61 * SECOND);
        assertThat(used(store, "charge", 2)).as("the other window").isZero();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void aYearIsAWindow(StoreUnderTest store) {
        var year = new JointRequest(List.of("rls:year:a=1"),
                new JointPlan(List.of(List.of(claim("r", 31_536_000, 1, 1, Enforcement.ENFORCED)))));
        assertThat(take(store, year).admitted()).isTrue();
        assertThat(take(store, year).admitted()).isFalse();
        assertThat(store.store().limits("rls:year:a=1").await().atMost(TIMEOUT)).containsEntry("r", 1L);
    }

    @Test
    void redisDecidesAsMemoryDoes() {
        var random = new Random(20_26);
        long start = Math.max(memory.now(), redis.now());
        for (int i = 0; i < 400; i++) {
            start += random.nextInt(3) == 0 ? 0 : random.nextInt(4_000_000);
            memory.at(start);
            redis.at(start);
            var request = randomRequest(random);
            boolean consume = random.nextInt(8) > 0;
            var inMemory = take(memory, request, consume);
            var inRedis = take(redis, request, consume);
            assertThat(inRedis.admitted()).as("request %d", i).isEqualTo(inMemory.admitted());
            assertThat(inRedis.windows()).as("request %d: %s", i, request.plan().claims()).isEqualTo(inMemory.windows());
        }
    }

    private static JointRequest randomRequest(Random random) {
        var identifiers = new ArrayList<String>();
        var parts = new ArrayList<List<WindowClaim>>();
        for (int i = 0; i < 4; i++) {
            if (random.nextBoolean() || i == 3 && identifiers.isEmpty()) {
                identifiers.add("rls:random:i=" + i);
                var enforcement = Enforcement.values()[i];
                long cost = random.nextInt(4);
                parts.add(i % 2 == 0
                        ? List.of(claim("r", 20, 12 + i, cost, enforcement))
                        : List.of(claim("r", 10, 8, cost, enforcement), claim("r", 60, 30, cost, enforcement)));
            }
        }
        return new JointRequest(identifiers, new JointPlan(parts));
    }
}
