package dev.sluice.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.store.redis.RedisWindowStore;
import io.smallrye.mutiny.Uni;

/** Decisions on the windows of all levels of a caller, with reservations, in memory and in Redis. */
class ChainDecisionTest extends StoresTestBase {

    /** Returns a request of a user and the user's team. */
    private static JointRequest request(String name, List<WindowClaim> user, List<WindowClaim> team) {
        return new JointRequest(List.of("user:" + name, "team:" + name), new JointPlan(List.of(user, team), false));
    }

    private static WindowClaim calls(long limit) {
        return StoreUnderTest.claim("llm", 60, limit, 1);
    }

    private static WindowClaim tokens(long limit, long estimate) {
        return StoreUnderTest.tokens("llm:tokens", 60, limit, estimate);
    }

    private static long used(StoreUnderTest store, String identifier) {
        return store.used(identifier, "llm:tokens", 60);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void everyLevelReservesAndSettles(StoreUnderTest store) {
        var request = request("settled", List.of(calls(10), tokens(1000, 100)), List.of(calls(20), tokens(5000, 100)));

        var granted = take(store, request, true, "one");

        assertThat(granted.admitted()).isTrue();
        assertThat(used(store, "user:settled")).isEqualTo(100);
        assertThat(used(store, "team:settled")).isEqualTo(100);
        store.settle("user:settled", "one", Map.of("llm:tokens", 30L));
        assertThat(used(store, "user:settled")).isEqualTo(30);
        assertThat(used(store, "team:settled")).isEqualTo(100);
        store.settle("team:settled", "one", Map.of("llm:tokens", 30L));
        store.settle("team:settled", "one", Map.of("llm:tokens", 99L));
        assertThat(used(store, "team:settled")).as("settled once").isEqualTo(30);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void denialByOneLevelReservesNothingAtAnother(StoreUnderTest store) {
        var request = request("denied", List.of(calls(10), tokens(1000, 100)), List.of(calls(20), tokens(150, 100)));
        assertThat(take(store, request, true, "two").admitted()).isTrue();

        var denied = take(store, request, true, "three");

        assertThat(denied.admitted()).isFalse();
        assertThat(denied.windows()[3].retryAt()).isPositive();
        assertThat(denied.windows()[1].retryAt()).isZero();
        assertThat(used(store, "user:denied")).isEqualTo(100);
        assertThat(store.used("user:denied", "llm", 60)).isEqualTo(1);
        store.settle("user:denied", "three", Map.of("llm:tokens", 5L));
        assertThat(used(store, "user:denied")).as("nothing to settle").isEqualTo(100);
    }

    /** A call that costs nothing is not denied by a budget that is used up. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("stores")
    void costOfZeroDeniesNothing(StoreUnderTest store) {
        take(store, request("free", List.of(calls(10), tokens(100, 100)), List.of(calls(20), tokens(100, 100))), true, "four");

        var free = request("free", List.of(calls(10), tokens(100, 0)), List.of(calls(20), tokens(100, 0)));
        var granted = take(store, free, true, "five");

        assertThat(granted.admitted()).isTrue();
        assertThat(granted.windows()[1].used()).isEqualTo(100);
        assertThat(store.used("team:free", "llm", 60)).isEqualTo(2);
    }

    @Test
    void redisDecidesAsMemoryDoes() {
        var random = new Random(20_27);
        long start = Math.max(memory.now(), redis.now());
        var open = new ArrayList<String>();
        for (int i = 0; i < 500; i++) {
            start += random.nextInt(3) == 0 ? 0 : random.nextInt(4_000_000);
            memory.at(start);
            redis.at(start);
            if (!open.isEmpty() && random.nextInt(3) == 0) {
                var reservation = open.remove(random.nextInt(open.size()));
                var used = Map.of("t", 1L + random.nextInt(30));
                for (int level = 0; level < 4; level++) {
                    memory.settle("level:" + level, reservation, used);
                    redis.settle("level:" + level, reservation, used);
                }
            }
            var reservation = "random" + i;
            var request = randomRequest(random);
            boolean consume = random.nextInt(8) > 0;
            var inMemory = take(memory, request, consume, reservation);
            var inRedis = take(redis, request, consume, reservation);
            assertThat(inRedis.admitted()).as("request %d", i).isEqualTo(inMemory.admitted());
            assertThat(inRedis.windows()).as("request %d: %s", i, request.plan().claims()).isEqualTo(inMemory.windows());
            if (inRedis.admitted() && consume) {
                open.add(reservation);
            }
        }
    }

    /** Requests of one call have windows in common, which are read and written once, and are also used by requests of other kinds. */
    @Test
    void requestsOfOneCallAreDecidedInOrder() {
        var random = new Random(20_11);
        long start = Math.max(memory.now(), redis.now());
        int admitted = 0;
        int denied = 0;
        for (int round = 0; round < 150; round++) {
            start += random.nextInt(3) == 0 ? 0 : random.nextInt(9_000_000);
            memory.at(start);
            redis.at(start);
            var requests = new ArrayList<JointRequest>();
            for (int i = random.nextInt(30); i >= 0; i--) {
                requests.add(requestOfOneCall(random));
            }
            var inRedis = requests.stream().map(request -> send(request).subscribeAsCompletionStage()).toList();
            for (int i = 0; i < requests.size(); i++) {
                var expected = take(memory, requests.get(i), true, null);
                var actual = inRedis.get(i).join();
                assertThat(actual.admitted()).as("round %d, request %d", round, i).isEqualTo(expected.admitted());
                assertThat(actual.windows()).as("round %d, request %d: %s", round, i, requests.get(i))
                        .isEqualTo(expected.windows());
                admitted += actual.admitted() ? 1 : 0;
                denied += actual.admitted() ? 0 : 1;
            }
        }
        assertThat(admitted).isGreaterThan(200);
        assertThat(denied).isGreaterThan(200);
    }

    private static Uni<StoreResult> send(JointRequest request) {
        return ResultCallback.<StoreResult>toUni(
                callback -> ((RedisWindowStore) redis.store()).take(request, true, null, callback));
    }

    private static JointRequest requestOfOneCall(Random random) {
        var identifiers = new ArrayList<String>();
        var parts = new ArrayList<List<WindowClaim>>();
        int user = random.nextInt(4);
        if (random.nextInt(5) > 0) {
            identifiers.add("caller:" + user);
            parts.add(List.of(StoreUnderTest.claim("few", 20, 15, random.nextInt(3)),
                    StoreUnderTest.claim("many", 60, 20_000, 100 + random.nextInt(2) * 900)));
        }
        for (var shared : List.of("group:" + user % 2, "everyone")) {
            if (random.nextInt(4) > 0 || parts.isEmpty()) {
                identifiers.add(shared);
                long cost = random.nextInt(3) == 0 ? 0 : 1000;
                parts.add(List.of(StoreUnderTest.claim("many", 60, "everyone".equals(shared) ? 90_000 : 50_000, cost),
                        StoreUnderTest.claim("calls", 3600, 1_000_000, 1)));
            }
        }
        return new JointRequest(identifiers, new JointPlan(parts, random.nextInt(6) == 0));
    }

    private static JointRequest randomRequest(Random random) {
        var identifiers = new ArrayList<String>();
        var parts = new ArrayList<List<WindowClaim>>();
        for (int level = 0; level < 4; level++) {
            if (random.nextBoolean() || level == 3) {
                identifiers.add("level:" + level);
                parts.add(level % 2 == 0
                        ? List.of(StoreUnderTest.claim("r", 20, 12 + level, 1), StoreUnderTest.tokens("t", 60, 200,
                                random.nextInt(40)))
                        : List.of(StoreUnderTest.tokens("t", 60, 150 + level, random.nextInt(3) * 20)));
            }
        }
        return new JointRequest(identifiers, new JointPlan(parts, false));
    }
}
