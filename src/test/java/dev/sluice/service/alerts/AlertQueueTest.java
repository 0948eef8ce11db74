package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
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
import dev.sluice.service.alerts.AlertQueue.ClaimResult;
import dev.sluice.service.alerts.AlertQueue.RetryResult;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;

/** The queue of alerts in Redis and in memory, with the time set by hand. */
class AlertQueueTest {

    static final String TIME = "{redis.call('GET', 'test:now'), '0'}";
    private static final long START = Instant.parse("2026-03-01T12:00:00Z").getEpochSecond();

    private static DirectoryUnderTest redis;
    private static RedisConnectionManager manager;
    private long now = START;
    private final AlertQueue inMemory = new InMemoryAlertQueue(() -> now * 1000);
    private AlertQueue inRedis;
    private final Map<String, String> ids = new HashMap<>();

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
        inRedis = new RedisAlertQueue(manager, DirectoryUnderTest.HASH_TAGS, redis.vertx().getOrCreateContext(),
                TIME);
    }

    private void setNow(long seconds) {
        now = seconds;
        redis.send("SET", "test:now", seconds);
    }

    private AlertQueue queue(String name) {
        return name.equals("redis") ? inRedis : inMemory;
    }

    /** @param label text of its message, by which the test knows it */
    private static LimitAlert alert(String claim, String label) {
        return new LimitAlert(claim, "{\"body\":\"line\\nof " + label + "\"}",
                Instant.ofEpochSecond(START).plus(Duration.ofDays(2)));
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    /** Returns the labels of the alerts that are leased. */
    private List<String> lease(AlertQueue queue, int max) {
        var alerts = await(queue.lease(max)).alerts();
        alerts.forEach(alert -> ids.put(label(alert), alert.id()));
        return alerts.stream().map(AlertQueueTest::label).toList();
    }

    private static String label(AlertQueue.Leased alert) {
        return alert.message().replaceAll(".*of (.*)\"}", "$1");
    }

    /** Returns the id of an alert that was leased. */
    private String id(String label) {
        return ids.get(label);
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void alertIsClaimedOnceUntilTheClaimExpires(String name) {
        var queue = queue(name);
        assertThat(await(queue.claim(List.of(alert("a", "1"), alert("b", "2"), alert("a", "3"))))).containsExactly(
                ClaimResult.CLAIMED, ClaimResult.CLAIMED, ClaimResult.ALREADY_CLAIMED);
        assertThat(lease(queue, 10)).containsExactlyInAnyOrder("1", "2");
        assertThat(await(queue.remove(id("1")))).isTrue();
        assertThat(await(queue.remove(id("1")))).isFalse();
        assertThat(await(queue.claim(List.of(alert("a", "4"))))).containsExactly(ClaimResult.ALREADY_CLAIMED);
        assertThat(await(queue.lease(10)).pending()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void leasedAlertIsDueAgainWhenTheLeaseEnds(String name) {
        var queue = queue(name);
        await(queue.claim(List.of(alert("a", "1"))));
        assertThat(await(queue.lease(10)).alerts()).singleElement().satisfies(leased -> {
            assertThat(leased.id()).matches("alert_[0-9a-f]{32,40}");
            assertThat(leased.attempts()).isZero();
            assertThat(leased.message()).isEqualTo(alert("a", "1").message());
        });
        setNow(START + 29);
        assertThat(lease(queue, 10)).isEmpty();
        setNow(START + 30);
        assertThat(lease(queue, 10)).containsExactly("1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void oldestAlertsAreLeasedFirstUpToAMaximum(String name) {
        var queue = queue(name);
        for (int i = 0; i < 3; i++) {
            setNow(START + i);
            await(queue.claim(List.of(alert("claim" + i, "id" + i))));
        }
        assertThat(lease(queue, 2)).containsExactly("id0", "id1");
        assertThat(lease(queue, 2)).containsExactly("id2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void failedAlertIsDueAfterTheDelayAndGivenUpAfterADay(String name) {
        var queue = queue(name);
        await(queue.claim(List.of(alert("a", "1"))));
        lease(queue, 1);
        assertThat(await(queue.retry(id("1"), 90_000))).isEqualTo(RetryResult.SCHEDULED);
        setNow(START + 89);
        assertThat(lease(queue, 1)).isEmpty();
        setNow(START + 90);
        assertThat(await(queue.lease(1)).alerts()).extracting(AlertQueue.Leased::attempts).containsExactly(1);
        setNow(START + 86_400 - 10);
        assertThat(await(queue.retry(id("1"), 10_000))).isEqualTo(RetryResult.SCHEDULED);
        assertThat(await(queue.retry(id("1"), 10_001))).isEqualTo(RetryResult.GIVEN_UP);
        assertThat(await(queue.retry(id("1"), 1))).isEqualTo(RetryResult.GONE);
        assertThat(await(queue.lease(1)).pending()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void ownerWithoutRoomClaimsNothing(String name) {
        var queue = queue(name);
        for (int from = 0; from < AlertQueue.MAX_PENDING / 2; from += 500) {
            await(queue.claim(IntStream.range(from, from + 500).mapToObj(i -> alert("c" + i, "i" + i)).toList()));
        }
        assertThat(await(queue.claim(List.of(alert("c0", "x"), alert("more", "more"))))).containsExactly(
                ClaimResult.ALREADY_CLAIMED, ClaimResult.FULL);
        lease(queue, 1);
        await(queue.remove(ids.values().iterator().next()));
        assertThat(await(queue.claim(List.of(alert("more", "more"))))).containsExactly(ClaimResult.CLAIMED);
    }

    /** Each takes what there is room for; the next one still finds room. */
    @ParameterizedTest
    @ValueSource(strings = {"redis", "memory"})
    void ownersShareTheQueue(String name) {
        var queue = queue(name);
        for (int owner = 0; owner < 4; owner++) {
            var alerts = new ArrayList<LimitAlert>();
            for (int i = 0; i < 6000; i++) {
                alerts.add(owned("team:" + owner, "claim" + owner + "/" + i));
            }
            var results = new ArrayList<ClaimResult>();
            for (int from = 0; from < alerts.size(); from += 500) {
                results.addAll(await(queue.claim(alerts.subList(from, from + 500))));
            }
            assertThat(results.stream().filter(ClaimResult.CLAIMED::equals).count())
                    .isEqualTo(AlertQueue.MAX_PENDING >> owner + 1);
        }
        assertThat(await(queue.claim(List.of(alert("common", "1"))))).containsExactly(ClaimResult.CLAIMED);
        for (var alert : await(queue.lease(5000)).alerts()) { // the oldest
            await(queue.remove(alert.id()));
        }
        assertThat(await(queue.claim(List.of(owned("team:1", "more"))))).containsExactly(ClaimResult.CLAIMED);
    }

    private static LimitAlert owned(String owner, String claim) {
        return new LimitAlert(claim, "{\"owner\":\"" + owner + "\"}", Instant.ofEpochSecond(START).plus(Duration.ofDays(2)));
    }

    @Test
    void numbersByOwnerAreCountedAgainAfterAnInstanceThatDoesNotKeepThem() {
        await(inRedis.claim(List.of(owned("team:a", "a"), owned("team:a", "b"), alert("c", "3"))));
        redis.send("HDEL", "sluice:{alerts}:messages", await(inRedis.lease(1)).alerts().get(0).id());
        await(inRedis.lease(1));
        assertThat(numbers().values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(2);
        for (var key : redis.send("HKEYS", "sluice:{alerts}:messages")) {
            await(inRedis.remove(key.toString()));
        }
        assertThat(numbers()).isEmpty();
    }

    @Test
    void alertsOfEarlierVersionsBelongToTheirUrl() {
        var message = "{\"url\":\"https://own.example\"}";
        await(inRedis.claim(List.of(new LimitAlert("old", message, Instant.ofEpochSecond(START).plus(Duration.ofDays(2))))));
        assertThat(numbers()).isEqualTo(Map.of("https://own.example", 1));
        assertThat(LimitAlert.owner(new JsonObject(message))).isEqualTo("https://own.example");

        redis.send("DEL", "sluice:{alerts}:owners");
        var id = await(inRedis.lease(1)).alerts().get(0).id();
        assertThat(numbers()).as("counted again").isEqualTo(Map.of("https://own.example", 1));
        await(inRedis.remove(id));
        assertThat(numbers()).isEmpty();
    }

    private Map<String, Integer> numbers() {
        var numbers = new HashMap<String, Integer>();
        redis.send("HKEYS", "sluice:{alerts}:owners").forEach(owner -> numbers.put(owner.toString(),
                redis.send("HGET", "sluice:{alerts}:owners", owner.toString()).toInteger()));
        return numbers;
    }

    @Test
    void claimsExpireAndKeysHaveOneHashTag() {
        await(inRedis.claim(List.of(alert("a", "1"))));
        assertThat(redis.send("PTTL", "sluice:{alerts}:claimed:a").toLong()).isBetween(Duration.ofDays(2).toMillis() - 60_000,
                Duration.ofDays(2).toMillis());
        assertThat(redis.send("KEYS", "sluice:*")).hasSize(5)
                .allSatisfy(key -> assertThat(key.toString()).startsWith("sluice:{alerts}:"));
    }

    @Test
    void foreignValuesAreRepaired() {
        await(inRedis.claim(List.of(alert("a", "1"))));
        redis.send("SET", "sluice:{alerts}:due", "foreign");
        assertThat(lease(inRedis, 10)).containsExactly("1");
        redis.send("HSET", "sluice:{alerts}:messages", "2", "foreign");
        redis.send("ZADD", "sluice:{alerts}:due", 0, "3");
        assertThat(await(inRedis.remove(id("1")))).isTrue();
        assertThat(await(inRedis.remove("2"))).isFalse();
        assertThat(lease(inRedis, 10)).isEmpty();
        redis.send("DEL", "sluice:{alerts}:messages");
        redis.send("SET", "sluice:{alerts}:messages", "foreign");
        redis.send("DEL", "sluice:{alerts}:random");
        redis.send("HSET", "sluice:{alerts}:random", "foreign", "foreign");
        assertThat(await(inRedis.claim(List.of(alert("b", "4"))))).containsExactly(ClaimResult.CLAIMED);
        assertThat(lease(inRedis, 10)).containsExactly("4");
    }
}
