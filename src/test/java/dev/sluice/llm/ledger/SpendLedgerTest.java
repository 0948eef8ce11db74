package dev.sluice.llm.ledger;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.KeyExpiries;
import dev.sluice.testing.RedisTestServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** Usage by owner, with a real Redis: every call is in the sums once, whatever is booked and read meanwhile. */
class SpendLedgerTest {

    /** First hour of a day: 2027-02-01, so that the hours before belong to another month. */
    private static final long HOUR = 20_850 * 24;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final List<String> MODELS = List.of("gpt-4o", "meta/llama:70b", "odd\n\"model\"");

    /** Key of a sum, as the rows have it. */
    private record Cell(long hour, CallOwner owner, String provider, String model) {
    }

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HashTags tags = new HashTags("sluice");
    private RedisTestServer redis;
    private RedisConnectionManager manager;
    private RedisLedger ledger;

    private void start(boolean cluster) {
        redis = cluster ? RedisTestServer.startCluster() : RedisTestServer.start();
        var client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        manager = new RedisConnectionManager(vertx, client::connect, tags, 10_000);
        ledger = new RedisLedger(vertx, manager, tags, 10_000, meters, TIMEOUT.toMillis());
    }

    private void connect() {
        manager.start();
        await().atMost(TIMEOUT).until(manager::isUp); // a cluster takes a moment to serve its slots
    }

    @AfterEach
    void close() {
        manager.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private static LedgerEntry entry(String identifier, CallOwner owner, String model, String request, long picodollars) {
        return new LedgerEntry(identifier, "openai", model, new TokenUsage(10, 2, 1, 0, 5), picodollars, request != null,
                request, 5, List.of(), owner);
    }

    private static CallOwner owner(String identifier, String key, String team, String org) {
        return CallOwner.of(identifier, new IdentityChain(key, null, team, org, List.of(), List.of()));
    }

    private static Map<Cell, UsageTotals> read(LedgerStore store, long fromHour, long toHour, boolean byHour) {
        var cells = new HashMap<Cell, UsageTotals>();
        store.readSpend(new SpendRange(fromHour, toHour, byHour), row -> cells.merge(
                new Cell(row.hour(), row.owner(), row.provider(), row.model()), row.totals(), UsageTotals::plus)).await()
                .atMost(TIMEOUT);
        return cells;
    }

    private static Map<Cell, UsageTotals> byDay(Map<Cell, UsageTotals> hours) {
        var days = new HashMap<Cell, UsageTotals>();
        hours.forEach((cell, totals) -> days.merge(
                new Cell(cell.hour() / 24 * 24, cell.owner(), cell.provider(), cell.model()), totals, UsageTotals::plus));
        return days;
    }

    private static UsageTotals sum(Map<Cell, UsageTotals> cells) {
        return cells.values().stream().reduce(UsageTotals.NONE, UsageTotals::plus);
    }

    private void bookNow(LedgerStore store, LedgerEntry entry, long hour) {
        store.book(entry, hour).await().atMost(TIMEOUT);
    }

    @Test
    void spellingsOfAModelAreOneModel() {
        start(false);
        connect();
        var alice = CallOwner.of("user:alice");
        for (var model : List.of("GPT-4o", "gpt-4o", " gpt-4O ")) {
            bookNow(ledger, entry("user:alice", alice, model, "id of " + model, 7), HOUR);
            ledger.add(entry("user:alice", alice, model, null, 7), HOUR);
        }
        assertThat(read(ledger, HOUR, HOUR + 1, true)).containsOnlyKeys(new Cell(HOUR, alice, "openai", "gpt-4o"));
        assertThat(sum(read(ledger, HOUR, HOUR + 1, true)).calls()).isEqualTo(6);
        var report = ledger.read("user:alice", HOUR, HOUR).await().atMost(TIMEOUT);
        assertThat(report.providers().get("openai")).containsOnlyKeys("gpt-4o");
        assertThat(new SpendRow(HOUR, alice, "openai", "GPT-4o ", UsageTotals.NONE).model()).isEqualTo("gpt-4o");
    }

    /** Random calls of two instances, some reported twice, while others read: all sums are those of a model. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sumsAreThoseOfAModelWhileOthersBookAndRead(boolean cluster) throws InterruptedException {
        start(cluster);
        var other = new RedisLedger(vertx, manager, tags, 10_000, new SimpleMeterRegistry(), TIMEOUT.toMillis());
        var expected = new ConcurrentHashMap<Cell, UsageTotals>();
        var seed = new Random().nextLong();
        var threads = Executors.newFixedThreadPool(4);
        for (int thread = 0; thread < 4; thread++) {
            var random = new Random(seed + thread);
            int number = thread;
            threads.execute(() -> {
                for (int i = 0; i < 300; i++) {
                    bookRandomly(random, number + "-" + i, List.of(ledger, other), expected);
                    if (i == 20 && number == 0) {
                        connect(); // the first entries have waited for the connection
                    }
                    if (i % 50 == 49 && manager.isUp()) {
                        read(number % 2 == 0 ? ledger : other, HOUR - 30, HOUR + 30, i % 100 == 99);
                    }
                }
            });
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        read(other, HOUR, HOUR + 1, false); // waits for its writes
        assertThat(read(ledger, HOUR - 72, HOUR + 72, true)).as("hours, seed " + seed).isEqualTo(expected);
        assertThat(read(other, HOUR - 72, HOUR + 72, false)).as("days, seed " + seed).isEqualTo(byDay(expected));
        var partly = new HashMap<>(expected);
        partly.keySet().removeIf(cell -> cell.hour() < HOUR - 5 || cell.hour() >= HOUR + 26);
        assertThat(sum(read(ledger, HOUR - 5, HOUR + 26, false))).as("parts of days").isEqualTo(sum(partly));
        assertThat(read(ledger, HOUR - 5, HOUR + 26, true)).isEqualTo(partly);
        var month = new HashMap<>(expected);
        month.keySet().removeIf(cell -> cell.hour() < HOUR);
        assertThat(read(ledger, HOUR, HOUR + 48, false)).as("the month").isEqualTo(byDay(month));
        assertThat(meters.get("llm_ledger_dropped").counter().count()).isZero();
        for (int user = 0; user < 10; user++) {
            assertSameAsUsage("user:" + user, expected);
        }
    }

    private void bookRandomly(Random random, String id, List<RedisLedger> instances, Map<Cell, UsageTotals> expected) {
        int user = random.nextInt(10);
        var identifier = "user:" + user;
        var owner = random.nextInt(3) == 0
                ? CallOwner.of(identifier)
                : owner(identifier, "k" + random.nextInt(3), random.nextBoolean() ? "red/50%" : null, "acme");
        var request = random.nextInt(3) == 0 ? "r" + id : null;
        long hour = HOUR - 30 + random.nextInt(60);
        var entry = entry(identifier, owner, MODELS.get(random.nextInt(MODELS.size())), request,
                random.nextInt(5) == 0 ? -1 : 1_234_567_890_123L);
        expected.merge(new Cell(hour, owner, "openai", entry.model()), UsageTotals.of(entry), UsageTotals::plus);
        instances.get(random.nextInt(2)).book(entry, hour).subscribe().with(booked -> {
        }, failure -> {
        });
        if (request != null && random.nextBoolean()) {
            instances.get(random.nextInt(2)).book(entry, hour).subscribe().with(booked -> {
            }, failure -> {
            });
        }
    }

    /** The report of an identifier and the spend have the same sums. */
    private void assertSameAsUsage(String identifier, Map<Cell, UsageTotals> expected) {
        var usage = ledger.read(identifier, HOUR - 30, HOUR + 30).await().atMost(TIMEOUT).providers()
                .getOrDefault("openai", Map.of());
        var byModel = new HashMap<String, UsageTotals>();
        expected.forEach((cell, totals) -> {
            if (identifier.equals("user:" + cell.owner().user())) {
                byModel.merge(cell.model(), totals, UsageTotals::plus);
            }
        });
        assertThat(usage).isEqualTo(byModel);
    }

    @Test
    void callsAfterAReadAreInTheNextOne() {
        start(false);
        connect();
        for (int i = 1; i <= 3; i++) {
            bookNow(ledger, entry("user:a", owner("user:a", "k1", "red", "acme"), "m", null, 7), HOUR);
            bookNow(ledger, entry("user:a", owner("user:a", "k2", "blue", "acme"), "m", "r" + i, 5), HOUR);
            var day = read(ledger, HOUR, HOUR + 24, false);
            assertThat(day).hasSize(2).hasEntrySatisfying(new Cell(HOUR, owner("user:a", "k1", "red", "acme"), "openai", "m"),
                    totals -> assertThat(totals.estimated()).isZero());
            assertThat(sum(day)).extracting(UsageTotals::calls, UsageTotals::picodollars).containsExactly(2L * i,
                    BigInteger.valueOf(12L * i));
            assertThat(redis.send("ZCARD " + tags.keyPrefix("user:a") + "n:days")).isEqualTo(":0");
        }
        bookNow(ledger, entry("user:a", CallOwner.of("user:a"), "m", null, 5), HOUR + 3);
        ledger.computeDays(HOUR / 24).await().atMost(TIMEOUT);
        read(ledger, HOUR - 24, HOUR, false);
        assertThat(redis.send("ZCARD " + tags.keyPrefix("user:a") + "n:days")).as("of another day").isEqualTo(":1");
        ledger.computeDays(HOUR / 24 + 1).await().atMost(TIMEOUT);
        assertThat(redis.send("ZCARD " + tags.keyPrefix("user:a") + "n:days")).isEqualTo(":0");
        manager.send(KeyExpiries.matching("*")).toCompletionStage().toCompletableFuture().join()
                .forEach(key -> assertThat(key.get(1).toLong()).as(key.get(0).toString()).isPositive());
    }

    @Test
    void furtherOwnersOfAnIdentifierAreItsOwn() {
        start(false);
        connect();
        int owners = LedgerStore.MAX_OWNERS;
        for (int i = 0; i < 2 * owners; i++) {
            bookNow(ledger, entry("user:a", owner("user:a", "k" + i, null, null), "m", null, 1), HOUR);
            bookNow(ledger, entry("user:a", owner("user:a", "k" + i, null, null), "m", null, 1), HOUR);
        }
        var day = read(ledger, HOUR, HOUR + 24, false);
        assertThat(day).hasSize(owners + 1);
        assertThat(day.get(new Cell(HOUR, CallOwner.of("user:a"), "openai", "m")).calls()).isEqualTo(2L * owners);
        var memory = new InMemoryLedger(10_000);
        IntStream.range(0, 2 * owners).forEach(i -> memory
                .add(entry("user:a", owner("user:a", "k" + i, null, null), "m", null, 1), HOUR));
        assertThat(read(memory, HOUR, HOUR + 24, false)).hasSize(owners + 1);
    }

    @Test
    void sumsOfADayAreNotCappedAsHoursAre() {
        start(false);
        connect();
        long half = Long.MAX_VALUE / 2;
        for (long hour : LongStream.range(HOUR, HOUR + 5).toArray()) {
            bookNow(ledger, entry("user:a", CallOwner.of("user:a"), "m", null, half), hour);
        }
        assertThat(sum(read(ledger, HOUR, HOUR + 24, false)).picodollars())
                .isEqualTo(BigInteger.valueOf(half).multiply(BigInteger.valueOf(5)));
    }

    @Test
    void foreignDataIsMovedAndDoesNotHideCalls() {
        start(false);
        connect();
        redis.send("RPUSH " + tags.keyPrefix("user:a") + "n:days theirs");
        redis.send("RPUSH " + tags.keyPrefix("user:a") + "d:" + HOUR / 24 + " theirs");
        assertThat(read(ledger, HOUR, HOUR + 24, false)).isEmpty();
        bookNow(ledger, entry("user:a", CallOwner.of("user:a"), "m", null, 7), HOUR);
        redis.send("ZADD " + tags.keyPrefix("user:a") + "n:days 0 theirs 0 x:y");
        assertThat(sum(read(ledger, HOUR, HOUR + 24, false)).calls()).isEqualTo(1);
        assertThat(sum(read(ledger, HOUR, HOUR + 24, true)).calls()).isEqualTo(1);
    }

    @Test
    void readFailsWhileRedisIsDown() {
        start(false);
        assertThat(ledger.readSpend(new SpendRange(HOUR, HOUR + 1, false), row -> {
        }).map(read -> false).onFailure(StoreUnavailableException.class).recoverWithItem(true).await().atMost(TIMEOUT))
                .isTrue();
        connect();
        assertThat(read(ledger, HOUR, HOUR + 1, false)).isEmpty();
    }

    @Test
    void ownersAreEncodedWithoutLoss() {
        start(false);
        var identifiers = List.of("user:a", "key:a", "user:", "ip:10.0.0.1");
        var names = new ArrayList<String>(List.of("a", "a/b", "%2F", "100%", "*", "ü"));
        names.add(null);
        for (var identifier : identifiers) {
            for (var name : names) {
                for (var user : names) {
                    var owner = CallOwner.of(identifier, new IdentityChain(user, user, name, null, List.of(), List.of()));
                    assertThat(CallOwner.decode(identifier, owner.encode(identifier))).isEqualTo(owner);
                }
            }
        }
        assertThat(CallOwner.of("user:a").encode("user:a")).isEmpty();
    }
}
