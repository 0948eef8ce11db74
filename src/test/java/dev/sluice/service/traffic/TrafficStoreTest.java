package dev.sluice.service.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.directory.DirectoryUnderTest;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Future;

/** Counts of minutes in Redis and in memory, with the time set by hand. */
class TrafficStoreTest {

    private static final String TIME = "{redis.call('GET', 'test:now'), '0'}";
    private static final long MINUTE = 60;
    private static final long START = 30_000_000 * MINUTE;
    private static final RuleTier RULE = new RuleTier("api:/x|:\"", "free");
    private static final RuleTier OTHER_TIER = new RuleTier(RULE.rule(), "none");
    private static final TopCaller HOSTILE = new TopCaller("<img onerror=x>\u202e😀", "api:/x", "free");

    private static DirectoryUnderTest redis;
    private static RedisConnectionManager manager;
    private long now = START;
    private TrafficStore inMemory;
    private TrafficStore inRedis;

    @BeforeAll
    static void startRedis() {
        redis = new DirectoryUnderTest();
        manager = redis.newManager();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @BeforeEach
    void clear() {
        redis.send("FLUSHALL");
        setNow(START);
        inRedis = newInstance();
        inMemory = new InMemoryTrafficStore(new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return Instant.ofEpochSecond(now);
            }
        });
    }

    private static TrafficStore newInstance() {
        return new RedisTrafficStore(manager, DirectoryUnderTest.HASH_TAGS, redis.vertx().getOrCreateContext(), TIME);
    }

    private void setNow(long seconds) {
        now = seconds;
        redis.send("SET", "test:now", seconds);
    }

    private TrafficStore store(String name) {
        return name.equals("redis") ? inRedis : inMemory;
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    private static TrafficCounts counts(long allowed, long denied) {
        var counts = new TrafficCounts();
        counts.rules().put(RULE, new RuleCounts(allowed, denied, 1));
        counts.latencies().put(250_000L, allowed);
        counts.latencies().put(Long.MAX_VALUE, 1L);
        counts.denied().put(HOSTILE, denied);
        return counts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void countsOfAMinuteAreAdded(String name) {
        var store = store(name);
        await(store.add(counts(3, 1)));
        setNow(START + 59);
        await(store.add(counts(4, 2)));
        setNow(START + 60);
        await(store.add(counts(10, 0)));

        var read = await(store.read(2, 3));

        assertThat(read.nowMillis()).isEqualTo((START + 60) * 1000);
        assertThat(read.minutes()).extracting(TrafficMinute::minute).containsExactly(START / MINUTE - 1, START / MINUTE,
                START / MINUTE + 1);
        var first = read.minutes().get(1).counts();
        assertThat(first.rules()).containsOnlyKeys(RULE).containsEntry(RULE, new RuleCounts(7, 3, 2));
        assertThat(first.latencies()).containsEntry(250_000L, 7L).containsEntry(Long.MAX_VALUE, 2L);
        assertThat(first.denied()).containsOnlyKeys(HOSTILE).containsEntry(HOSTILE, 3L);
        assertThat(read.minutes().get(0).counts().isEmpty()).isTrue();
        assertThat(read.minutes().get(2).counts().rules()).containsEntry(RULE, new RuleCounts(10, 0, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void callersOfAMinuteAreBounded(String name) {
        var store = store(name);
        for (int batch = 0; batch < 5; batch++) {
            var counts = counts(1, 1);
            int from = batch * 100;
            IntStream.range(from, from + 100)
                    .forEach(i -> counts.allowed().put(new TopCaller("user:" + i, "api:/x", "free"), (long) i + 1));
            await(store.add(counts));
        }
        var allowed = await(store.read(0, 1)).minutes().get(0).counts().allowed();
        assertThat(allowed).hasSize(TrafficStore.MAX_LISTED)
                .containsEntry(new TopCaller("user:499", "api:/x", "free"), 500L)
                .doesNotContainKey(new TopCaller("user:1", "api:/x", "free"));
    }

    @Test
    void fieldsOfAMinuteAreBoundedInRedis() {
        var counts = new TrafficCounts();
        IntStream.range(0, RedisTrafficStore.MAX_FIELDS + 50)
                .forEach(i -> counts.rules().put(new RuleTier("rule" + i, "free"), new RuleCounts(1, 0, 0)));
        await(inRedis.add(counts));
        await(inRedis.add(counts));
        var read = await(inRedis.read(0, 1)).minutes().get(0).counts();
        assertThat(read.rules()).hasSize(RedisTrafficStore.MAX_FIELDS).containsValue(new RuleCounts(2, 0, 0))
                .doesNotContainValue(new RuleCounts(1, 0, 0));
    }

    @Test
    void foreignValuesAreDeletedAndHideNothing() {
        var prefix = DirectoryUnderTest.HASH_TAGS.globalKey("{traffic}");
        long minute = START / MINUTE;
        await(inRedis.add(counts(3, 1)));
        setNow(START + 60);
        redis.send("RPUSH", prefix + ':' + (minute - 1) + ":counts", "foreign");
        redis.send("SET", prefix + ':' + (minute + 1) + ":counts", "foreign");
        redis.send("SET", prefix + ':' + (minute + 1) + ":denied", "foreign");
        redis.send("SET", prefix + ":reports", "foreign");
        redis.send("SET", prefix + ":rates:" + START / 3600, "foreign");
        long before = manager.repairedKeys();

        var read = await(inRedis.read(2, 3));
        assertThat(read.minutes()).hasSize(3);
        assertThat(read.minutes().get(1).counts().rules()).containsEntry(RULE, new RuleCounts(3, 1, 1));
        assertThat(manager.repairedKeys()).isEqualTo(before + 4);

        redis.send("SET", prefix + ':' + (minute + 1) + ":counts", "foreign");
        redis.send("SET", prefix + ":reports", "foreign");
        assertThat(await(inRedis.rates("a", List.of("b")))).isEmpty();
        var given = counts(5, 2);
        given.rates().put(new GivenRate("a", "b"), "1/hour");
        await(inRedis.add(given));
        await(inRedis.report(Map.of(RULE, 2L)));
        assertThat(manager.repairedKeys()).isEqualTo(before + 7);
        redis.send("HSET", prefix + ':' + (minute + 1) + ":counts", "latency\u001f250000", "foreign");
        redis.send("HSET", prefix + ':' + (minute + 1) + ":counts", "latency\u001fforeign", "1");
        var now = await(inRedis.read(0, 1));
        assertThat(now.minutes().get(0).counts().rules()).containsEntry(RULE, new RuleCounts(5, 2, 1));
        assertThat(now.minutes().get(0).counts().denied()).containsEntry(HOSTILE, 2L);
        assertThat(now.inFlight()).containsEntry(RULE, 2L);
        await(inRedis.add(counts(5, 2)));
        assertThat(await(inRedis.read(0, 1)).minutes().get(0).counts().latencies()).containsEntry(250_000L, 5L);
        assertThat(await(inRedis.rates("a", List.of("b")))).isEqualTo(Map.of("b", "1/hour"));
    }

    @Test
    void everyKeyExpires() {
        await(inRedis.add(counts(1, 1)));
        var prefix = DirectoryUnderTest.HASH_TAGS.globalKey("{traffic}") + ':' + START / MINUTE;
        assertThat(redis.send("TTL", prefix + ":counts").toLong()).isBetween(1L, 25 * 3600L);
        await(inRedis.report(Map.of(RULE, 1L)));
        assertThat(redis.send("TTL", DirectoryUnderTest.HASH_TAGS.globalKey("{traffic}") + ":reports").toLong())
                .isBetween(1L, 10L);
        var given = counts(1, 1);
        given.rates().put(new GivenRate("a", "b"), "1/hour");
        await(inRedis.add(given));
        assertThat(redis.send("TTL", DirectoryUnderTest.HASH_TAGS.globalKey("{traffic}") + ":rates:" + START / 3600).toLong())
                .isBetween(1L, 2 * 3600L);
        assertThat(redis.send("TTL", prefix + ":denied").toLong()).isBetween(1L, 61 * 60L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void reportOfRequestsInFlightReplacesTheLastOneAndExpires(String name) {
        var store = store(name);
        await(store.report(Map.of(RULE, 3L, OTHER_TIER, 1L)));
        assertThat(await(store.read(0, 1)).inFlight()).containsOnly(Map.entry(RULE, 3L), Map.entry(OTHER_TIER, 1L));
        await(store.report(Map.of(RULE, 2L)));
        setNow(START + 4);
        assertThat(await(store.read(0, 1)).inFlight()).containsOnly(Map.entry(RULE, 2L));
        setNow(START + 5);
        assertThat(await(store.read(0, 1)).inFlight()).isEmpty();
        await(store.report(Map.of(RULE, 1L)));
        await(store.report(Map.of()));
        assertThat(await(store.read(0, 1)).inFlight()).isEmpty();
    }

    @Test
    void countsAndRequestsInFlightOfTwoInstancesAddUpUntilOneIsDead() {
        var first = newInstance();
        var second = newInstance();
        await(first.add(counts(3, 1)));
        await(second.add(counts(4, 2)));
        await(first.report(Map.of(RULE, 3L)));
        await(second.report(Map.of(RULE, 4L, OTHER_TIER, 5L)));

        var both = await(inRedis.read(0, 1));
        assertThat(both.minutes().get(0).counts().rules()).containsEntry(RULE, new RuleCounts(7, 3, 2));
        assertThat(both.inFlight()).containsOnly(Map.entry(RULE, 7L), Map.entry(OTHER_TIER, 5L));

        setNow(START + 5); // the second one reports no more
        await(first.report(Map.of(RULE, 2L)));
        var one = await(inRedis.read(0, 1));
        assertThat(one.minutes().get(0).counts().rules()).as("what it has counted remains")
                .containsEntry(RULE, new RuleCounts(7, 3, 2));
        assertThat(one.inFlight()).containsOnly(Map.entry(RULE, 2L));
        assertThat(redis.send("HLEN", DirectoryUnderTest.HASH_TAGS.globalKey("{traffic}") + ":reports").toLong())
                .as("reports of dead instances are removed").isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void ratesThatCameWithRequestsAreBoundedAndTheLastOnesAreReturned(String name) {
        var store = store(name);
        var counts = counts(1, 1);
        counts.rates().put(new GivenRate("a:b", "c"), "1/minute");
        counts.rates().put(new GivenRate("a", "b:c"), "2/minute");
        await(store.add(counts));
        var changed = counts(1, 1);
        changed.rates().put(new GivenRate("a", "b:c"), "3/minute");
        await(store.add(changed));
        setNow(START + 60 * MINUTE);

        assertThat(await(store.rates("a:b", List.of("c", "absent")))).isEqualTo(Map.of("c", "1/minute"));
        assertThat(await(store.rates("a", List.of("b:c")))).isEqualTo(Map.of("b:c", "3/minute"));

        var many = counts(1, 1);
        IntStream.range(0, TrafficStore.MAX_RATES + 9).forEach(i -> many.rates().put(new GivenRate("many", "r" + i), "1/hour"));
        await(store.add(many));
        var resources = IntStream.range(0, TrafficStore.MAX_RATES + 9).mapToObj(i -> "r" + i).toList();
        assertThat(await(store.rates("many", resources))).hasSize(TrafficStore.MAX_RATES);
    }

    @Test
    void hourIsKeptInMemory() {
        await(inMemory.add(counts(1, 0)));
        setNow(START + 60 * MINUTE);
        await(inMemory.add(counts(2, 0)));
        assertThat(await(inMemory.read(60, 1)).minutes().get(0).counts().isEmpty()).isTrue();
    }

    /** Counts the reads of a store, one of which may fail. */
    private static final class CountingStore implements TrafficStore {

        private final TrafficStore store;
        private int calls;
        private int minutes;
        private int failingCall = -1;

        CountingStore(TrafficStore store) {
            this.store = store;
        }

        @Override
        public Future<Void> add(TrafficCounts counts) {
            return store.add(counts);
        }

        @Override
        public Future<Void> report(Map<RuleTier, Long> inFlight) {
            return store.report(inFlight);
        }

        @Override
        public Future<Map<String, String>> rates(String identifier, List<String> resources) {
            return store.rates(identifier, resources);
        }

        @Override
        public Future<Reading> read(int ago, int number) {
            minutes += number;
            return ++calls == failingCall ? Future.failedFuture("Redis did not reply") : store.read(ago, number);
        }
    }

    @Test
    void readThatFailsMidwayLeavesNoGap() {
        var store = new CountingStore(inMemory);
        var nanos = new long[1];
        var cache = new TrafficCache(store, true, () -> nanos[0]);
        await(inMemory.add(counts(1, 0)));
        assertThat(await(cache.last(60)).minutes()).hasSize(60);

        store.failingCall = store.calls + 2; // the second page
        assertThat(cache.last(1440).failed()).isTrue();
        for (int seconds : new int[]{0, 5, 600}) {
            nanos[0] += seconds * 1_000_000_000L;
            setNow(now + seconds);
            var history = await(cache.last(60));
            assertThat(history.minutes()).hasSize(60);
            assertThat(history.minutes().get(59).minute()).isEqualTo(now / 60);
        }
    }

    @Test
    void minutesAreReadOnceHoweverManyRequests() {
        var store = new CountingStore(inMemory);
        var nanos = new long[1];
        var cache = new TrafficCache(store, true, () -> nanos[0]);
        await(inMemory.add(counts(1, 0)));

        IntStream.range(0, 100).forEach(i -> assertThat(await(cache.last(60)).minutes()).hasSize(60));
        assertThat(store.calls).isEqualTo(1);

        await(inMemory.add(counts(5, 0)));
        nanos[0] += 1_000_000_000L;
        assertThat(await(cache.last(60)).sum(1).total().allowed()).isEqualTo(6);
        assertThat(store.minutes).isEqualTo(60 + 3);
        nanos[0] += 60_000_000_000L;
        setNow(START + 60);
        var history = await(cache.last(60));
        assertThat(history.minutes()).hasSize(60);
        assertThat(history.minutes().get(58).counts().total().allowed()).isEqualTo(6);
        assertThat(await(cache.last(1440)).minutes()).hasSize(1440);
        assertThat(await(cache.last(2)).minutes()).hasSize(2);
    }
}
