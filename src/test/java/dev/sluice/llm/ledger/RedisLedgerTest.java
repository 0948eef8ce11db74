package dev.sluice.llm.ledger;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.identity.Sha256;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.KeyExpiries;
import dev.sluice.testing.RedisTestServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;

/** Tests the ledger with a real Redis, through a connection that can be cut in one direction. */
class RedisLedgerTest {

    private static final long HOUR = 500_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final RedisTestServer redis = RedisTestServer.start();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HashTags keys = new HashTags("sluice");
    private volatile boolean repliesLost;
    private volatile boolean connectionsRejected;
    private volatile NetSocket wire;
    private final NetServer relay = relay();
    private final Redis client = Redis.createClient(vertx,
            new RedisOptions().setConnectionString("redis://127.0.0.1:" + relay.actualPort()));
    private final RedisConnectionManager link = new RedisConnectionManager(vertx, client::connect, keys, 10_000);

    private NetServer relay() {
        NetClient out = vertx.createNetClient();
        return vertx.createNetServer().connectHandler(in -> {
            if (connectionsRejected) {
                in.close();
                return;
            }
            wire = in;
            in.pause();
            out.connect(redis.port(), "127.0.0.1").onSuccess(to -> {
                to.handler(reply -> {
                    if (!repliesLost) {
                        in.write(reply);
                    }
                });
                to.closeHandler(closed -> in.close());
                in.closeHandler(closed -> to.close());
                in.handler(to::write);
                in.resume();
            }).onFailure(failure -> in.close());
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    }

    private RedisLedger ledger(int buffer) {
        var ledger = new RedisLedger(vertx, link, keys, buffer, meters, TIMEOUT.toMillis());
        link.start().toCompletionStage().toCompletableFuture().join();
        return ledger;
    }

    @AfterEach
    void close() {
        link.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private static LedgerEntry entry(String identifier, String model, String request) {
        return new LedgerEntry(identifier, "openai", model, new TokenUsage(10, 2, 1, 0, 5), 1_234_567, false, request);
    }

    private static boolean book(LedgerStore ledger, LedgerEntry entry) {
        return ledger.book(entry, HOUR).await().atMost(TIMEOUT);
    }

    private static UsageTotals read(LedgerStore ledger, String identifier, String model) {
        var models = ledger.read(identifier, HOUR - 24, HOUR).await().atMost(TIMEOUT).providers().get("openai");
        return models == null ? null : models.get(model);
    }

    @Test
    void readsItsOwnWrites() {
        var ledger = ledger(100);
        for (int i = 0; i < 1000; i++) {
            book(ledger, entry("user:a", "m:1", null));
        }
        assertThat(read(ledger, "user:a", "m:1")).isEqualTo(
                new UsageTotals(1000, 10_000, 2_000, 1_000, 5_000, BigInteger.valueOf(1_234_567_000), 0, 0));
        assertThat(read(ledger, "user:b", "m:1")).isNull();
    }

    @Test
    void partsOfACallAreBookedOnceAndReadByAnotherInstance() {
        var one = ledger(100);
        var other = new RedisLedger(vertx, link, keys, 100, new SimpleMeterRegistry(), TIMEOUT.toMillis());
        var parts = List.of(new CostParts.Part("input", CostParts.Group.INPUT, 7, 100),
                new CostParts.Part("audio_input", CostParts.Group.INPUT, 3, 200),
                new CostParts.Part("output", CostParts.Group.OUTPUT, 5, 50),
                new CostParts.Part("web_search", CostParts.Group.NONE, 2, 20));
        for (int i = 0; i < 20; i++) {
            book(i % 2 == 0 ? one : other, new LedgerEntry("user:a", "openai", "m:1", TokenUsage.of(10, 5), 370, false,
                    "r" + i / 4, -1, parts));
        }
        for (int i = 0; i < 5; i++) {
            book(one, new LedgerEntry("user:a", "openai", "m:1", TokenUsage.of(10, 5), 370, false, null, -1, parts));
        }
        book(one, entry("user:a", "m:1", null)); // of an older version
        read(one, "user:a", "m:1"); // waits for its writes
        assertThat(read(other, "user:a", "m:1").details()).isEqualTo(new TreeMap<>(Map.of(
                "input", new UsageParts.Detail(77L, null, BigInteger.valueOf(1000)),
                "audio_input", new UsageParts.Detail(30L, null, BigInteger.valueOf(2000)),
                "cached_input", new UsageParts.Detail(2L, null, BigInteger.ZERO),
                "cache_write", new UsageParts.Detail(1L, null, BigInteger.ZERO),
                "output", new UsageParts.Detail(55L, null, BigInteger.valueOf(500)),
                "web_search", new UsageParts.Detail(null, 20L, BigInteger.valueOf(200)),
                "other", new UsageParts.Detail(null, null, BigInteger.valueOf(1_234_567)))));
        assertThat(number("HLEN " + hashKey("user:a"))).as("models, owners, owner, day, 6 counters, and parts")
                .isEqualTo(4 + 6 + 4 + 2);
    }

    private static LedgerEntry sample(String identifier, String model, long output, String request) {
        return new LedgerEntry(identifier, "openai", model, TokenUsage.of(10, output), 1, false, request, output);
    }

    private static OutputHistogram outputs(LedgerStore ledger, String identifier, String model, long fromHour, long toHour) {
        return ledger.readOutputs(identifier, "openai", model, fromHour, toHour).await().atMost(TIMEOUT);
    }

    @Test
    void histogramOfOutputsIsSharedByInstances() {
        var one = ledger(100);
        var other = new RedisLedger(vertx, link, keys, 100, new SimpleMeterRegistry(), TIMEOUT.toMillis());
        for (int i = 0; i < 100; i++) {
            book(one, sample("user:a", "m:1", 100, null));
            book(other, sample("user:a", "m:1", 3000, "r" + i % 50));
        }
        book(one, entry("user:a", "m:1", null)); // without a sample
        book(one, sample("user:a", "m:2", 7, null));
        book(one, sample("user:b", "m:1", 7, null));
        outputs(other, "user:a", "m:1", HOUR, HOUR); // waits for its own writes
        for (var ledger : List.of(one, other)) {
            var outputs = outputs(ledger, "user:a", "m:1", HOUR - 1, HOUR);
            assertThat(outputs.calls()).isEqualTo(150);
            assertThat(outputs.quantile(66, Long.MAX_VALUE)).isEqualTo(107);
            assertThat(outputs.quantile(67, Long.MAX_VALUE)).isEqualTo(3444);
        }
        assertThat(outputs(one, "user:a", "m:1", HOUR - 2, HOUR - 1).calls()).isZero();
        assertThat(read(one, "user:a", "m:1")).as("the counters are not those of the histogram")
                .isEqualTo(new UsageTotals(151, 1510, 2, 1, 100 * 100 + 50 * 3000 + 5, BigInteger.valueOf(1_234_717), 0, 0));
    }

    @Test
    void histogramCannotBeReadWhileRedisIsDown() {
        var ledger = ledger(100);
        book(ledger, sample("user:a", "m", 100, "r"));
        redis.send("HSET " + hashKey("user:a") + " openai:h9:m theirs openai:h66:m 5 openai:h-1:m 5");
        redis.send("RPUSH " + hashKey("user:a").replace("l:" + HOUR, "l:" + (HOUR - 1)) + " theirs");
        assertThat(outputs(ledger, "user:a", "m", HOUR - 1, HOUR).calls()).as("ignores foreign data").isEqualTo(1);
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        assertThat(ledger.readOutputs("user:a", "openai", "m", HOUR, HOUR).map(outputs -> false)
                .onFailure(StoreUnavailableException.class).recoverWithItem(true).await().atMost(TIMEOUT)).isTrue();
    }

    @Test
    void writeWithLostReplyIsBookedOnce() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "other", null));
        read(ledger, "user:a", "other"); // Redis has loaded the script now
        repliesLost = true;
        book(ledger, entry("user:a", "m", null));
        await().atMost(TIMEOUT).until(() -> inRedis("user:a") == 1);
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        book(ledger, entry("user:a", "m", null));
        repliesLost = false;
        await().atMost(TIMEOUT).until(link::isUp);
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(2);
        assertThat(inRedis("user:a")).isEqualTo(2);
    }

    private long inRedis(String identifier) {
        var direct = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        try {
            var calls = direct.send(Request.cmd(Command.HGET).arg(keys.keyPrefix(identifier) + "l:" + HOUR + ":" + identifier)
                    .arg("openai:c:m")).toCompletionStage().toCompletableFuture().join();
            return calls == null ? 0 : calls.toLong();
        } finally {
            direct.close();
        }
    }

    @Test
    void buffersUpToItsLimitAndCountsDroppedEntries() {
        var ledger = ledger(3);
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        for (int i = 0; i < 5; i++) {
            book(ledger, entry("user:" + i, "m", null));
        }
        book(ledger, entry("user:0", "m", null)); // adds to a buffered entry
        book(ledger, entry("user:9", "m", "request"));
        assertThat(meters.get("llm_ledger_dropped").counter().count()).isEqualTo(3);
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isEqualTo(3);
        assertThat(read(ledger, "user:0", "m").calls()).isEqualTo(2); // from the buffer
        connectionsRejected = false;
        await().atMost(TIMEOUT).until(link::isUp);
        assertThat(read(ledger, "user:0", "m").calls()).isEqualTo(2);
        assertThat(read(ledger, "user:2", "m").calls()).isEqualTo(1);
        assertThat(read(ledger, "user:3", "m")).isNull();
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
    }

    @Test
    void oneOfTwoInstancesLearnsLaterThatARequestOfAnOutageIsNew() {
        var ledgers = List.of(ledger(100),
                new RedisLedger(vertx, link, keys, 100, new SimpleMeterRegistry(), TIMEOUT.toMillis()));
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        var later = new ConcurrentLinkedQueue<Boolean>();
        for (var ledger : ledgers) {
            assertThat(ledger.book(entry("user:a", "m", "r"), HOUR, later::add).await().atMost(TIMEOUT)).as("not known")
                    .isNull();
            assertThat(ledger.book(entry("user:a", "m", "r"), HOUR, later::add).await().atMost(TIMEOUT)).as("buffered")
                    .isFalse();
        }
        assertThat(later).isEmpty();
        connectionsRejected = false;
        await().atMost(TIMEOUT).until(() -> later.size() == 2);
        assertThat(later).containsExactlyInAnyOrder(true, false);
        assertThat(read(ledgers.get(0), "user:a", "m").calls()).isEqualTo(1);
    }

    @Test
    void sameRequestIsBookedOnceAcrossInstances() throws InterruptedException {
        var one = ledger(1000);
        var other = new RedisLedger(vertx, link, keys, 1000, new SimpleMeterRegistry(), TIMEOUT.toMillis());
        var threads = Executors.newFixedThreadPool(4);
        for (int i = 0; i < 400; i++) {
            var ledger = i % 2 == 0 ? one : other;
            var request = "r" + i % 50;
            threads.execute(() -> book(ledger, entry("user:a", "m", request)));
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        assertThat(read(one, "user:a", "m").calls()).isEqualTo(50);
        assertThat(book(other, entry("user:a", "m", "r1"))).isFalse();
        assertThat(book(other, entry("user:a", "m", "r99"))).isTrue();
    }

    private long number(String command) {
        return Long.parseLong(redis.send(command).substring(1));
    }

    /** The latest request ids of an identifier share one key; the oldest are forgotten first. */
    @Test
    void requestIdsAreBounded() {
        var ledger = ledger(20_000);
        int most = LedgerStore.MAX_REQUEST_IDS;
        var last = IntStream.range(0, most + 100).mapToObj(i -> ledger.book(entry("user:a", "m", "r" + i), HOUR))
                .reduce((first, second) -> second).orElseThrow();
        assertThat(last.await().atMost(TIMEOUT)).isTrue();
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
        var requests = keysLike("sluice:{*}:q:*");
        assertThat(requests).containsExactly(keys.keyPrefix("user:a") + "q:user:a");
        assertThat(keysLike("sluice:{*}:u:*")).isEmpty();
        assertThat(number("ZCARD " + requests.get(0))).isEqualTo(most);
        assertThat(number("TTL " + requests.get(0))).isPositive();
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(most + 100);
        for (var request : List.of("r600", "r" + (most - 1), "r" + (most + 99))) {
            assertThat(ledger.book(entry("user:a", "m", request), HOUR + 700).await().atMost(TIMEOUT)).as(request).isFalse();
        }
        assertThat(ledger.book(new LedgerEntry("user:a", "gemini", "m", TokenUsage.NONE, 0, false, "r600"), HOUR).await()
                .atMost(TIMEOUT)).as("of another provider").isTrue();
        assertThat(book(ledger, entry("user:b", "m", "r600"))).as("of another identifier").isTrue();
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(most + 100);
    }

    /** A request that the previous version has booked, under a key of its own, is not booked again. */
    @Test
    void requestOfThePreviousVersionIsRecognised() {
        var ledger = ledger(100);
        redis.send("SET " + keys.keyPrefix("user:a") + "u:openai:" + Sha256.hex("r1") + ":user:a 1 EX 1000");
        redis.send("RPUSH " + keys.keyPrefix("user:a") + "u:openai:" + Sha256.hex("r2") + ":user:a theirs");
        assertThat(book(ledger, entry("user:a", "m", "r1"))).isFalse();
        assertThat(book(ledger, entry("user:a", "m", "r2"))).as("foreign data").isTrue();
        assertThat(book(ledger, entry("user:a", "m", "r2"))).isFalse();
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(1);
    }

    @Test
    void furtherModelsOfAnHourAreSummedAsOne() {
        var ledger = ledger(1000);
        redis.send("HSET " + hashKey("user:a") + " openai:c:m0 5 openai:i:m0 50"); // of the previous version: not counted
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 150; i++) {
                book(ledger, sample("user:a", "m" + i, 7, i % 2 == 0 ? null : "r" + round + "-" + i));
            }
        }
        book(ledger, sample("user:a", "other", 7, null));
        book(ledger, sample("user:b", "m149", 7, null));
        var models = ledger.read("user:a", HOUR, HOUR).await().atMost(TIMEOUT).providers().get("openai");
        assertThat(models).hasSize(102);
        assertThat(models.get("m0").calls()).isEqualTo(8);
        assertThat(models.values().stream().mapToLong(UsageTotals::calls).sum()).isEqualTo(5 + 3 * 150 + 1);
        assertThat(models.values().stream().map(UsageTotals::picodollars).reduce(BigInteger::add)).contains(
                BigInteger.valueOf(3 * 150 + 1));
        assertThat(models.get("other").calls()).isEqualTo(3 * 49 + 1);
        assertThat(number("HLEN " + hashKey("user:a"))).isEqualTo(4 + 102 * 5);
        assertThat(read(ledger, "user:b", "m149").calls()).isEqualTo(1);
        var next = ledger.book(sample("user:a", "m149", 7, null), HOUR + 1);
        assertThat(next.await().atMost(TIMEOUT)).isTrue();
        assertThat(ledger.read("user:a", HOUR + 1, HOUR + 1).await().atMost(TIMEOUT).providers().get("openai"))
                .containsOnlyKeys("m149");
    }

    @Test
    void overflowingSumIsCapped() {
        var ledger = ledger(100);
        for (int i = 0; i < 3; i++) {
            ledger.book(new LedgerEntry("user:a", "openai", "m", TokenUsage.of(TokenUsage.MAX, 0), Long.MAX_VALUE / 2, false,
                    "r" + i), HOUR).await().atMost(TIMEOUT);
        }
        var totals = read(ledger, "user:a", "m");
        assertThat(totals.calls()).isEqualTo(3);
        assertThat(totals.picodollars()).isEqualTo(BigInteger.valueOf(Long.MAX_VALUE));
    }

    @Test
    void everyKeyExpires() {
        var ledger = ledger(100);
        long hour = System.currentTimeMillis() / 3_600_000;
        ledger.book(entry("user:a", "m", null), hour).await().atMost(TIMEOUT);
        ledger.book(entry("user:a", "m", "request"), hour).await().atMost(TIMEOUT);
        ledger.read("user:a", hour, hour).await().atMost(TIMEOUT);
        var found = link.send(KeyExpiries.matching("sluice:*")).toCompletionStage().toCompletableFuture().join();
        assertThat(found).hasSizeGreaterThanOrEqualTo(3).filteredOn(key -> !key.get(0).toString().equals("sluice:probe"))
                .allSatisfy(key -> assertThat(key.get(1).toLong()).as(key.get(0).toString())
                        .isBetween(0L, TimeUnit.DAYS.toMillis(33)));
    }

    @Test
    void closeWritesBufferedEntries() {
        var ledger = ledger(5000);
        for (int i = 0; i < 2000; i++) {
            book(ledger, entry("user:" + i, "m", null));
            book(ledger, entry("user:a", "m" + i, null)); // more than fit one batch
        }
        ledger.close().await().atMost(TIMEOUT);
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isZero();
        assertThat(inRedis("user:1999")).isEqualTo(1);
    }

    /** Returns an identifier that shares the hash tag of another one, so that both are booked in one batch. */
    private String besides(String identifier, int number) {
        return IntStream.iterate(0, i -> i + 1).mapToObj(i -> "user:b" + i)
                .filter(other -> keys.tag(other) == keys.tag(identifier)).skip(number).findFirst().orElseThrow();
    }

    private String hashKey(String identifier) {
        return keys.keyPrefix(identifier) + "l:" + HOUR + ":" + identifier;
    }

    private List<String> keysLike(String pattern) {
        var found = new ArrayList<String>();
        link.send(Request.cmd(Command.KEYS).arg(pattern)).toCompletionStage().toCompletableFuture().join()
                .forEach(key -> found.add(key.toString()));
        return found;
    }

    private double count(String counter) {
        return meters.get(counter).counter().count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SET %s theirs", "RPUSH %s theirs", "HSET %s openai:i:m theirs", "HSET %s openai:e:m 007",
            "HSET %s openai:c:m 99999999999999999999", "HSET %s openai:p:m 9223372036854775808"})
    void foreignDataUnderAKeyIsMovedAndTheWholeBatchIsBookedOnce(String foreignCommand) {
        var ledger = ledger(100);
        var first = besides("user:a", 0);
        var last = besides("user:a", 1);
        redis.send(foreignCommand.formatted(hashKey("user:a")));
        connectionsRejected = true; // so that all three form one batch
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        for (var user : List.of(first, "user:a", last)) {
            book(ledger, new LedgerEntry(user, "openai", "m", new TokenUsage(10, 2, 1, 0, 5), 1_234_567, true, null));
        }
        connectionsRejected = false;
        await().atMost(TIMEOUT).until(() -> count("llm_ledger_foreign") == 1 && meters.get("llm_ledger_waiting").gauge()
                .value() == 0);
        for (var user : List.of(first, "user:a", last)) {
            assertThat(read(ledger, user, "m")).as(user)
                    .isEqualTo(new UsageTotals(1, 10, 2, 1, 5, BigInteger.valueOf(1_234_567), 0, 1));
        }
        assertThat(count("llm_ledger_dropped")).isZero();
        var moved = keysLike("sluice:{*}:f:*");
        assertThat(moved).singleElement().asString().endsWith(":l:" + HOUR + ":user:a");
        var content = foreignCommand.startsWith("HSET")
                ? link.send(Request.cmd(Command.HVALS).arg(moved.get(0)))
                : link.send(Request.cmd(Command.TYPE).arg(moved.get(0)));
        var kept = content.toCompletionStage().toCompletableFuture().join();
        assertThat(foreignCommand.startsWith("HSET") ? kept.get(0).toString() : kept.toString())
                .isEqualTo(foreignCommand.startsWith("HSET")
                        ? foreignCommand.substring(foreignCommand.lastIndexOf(' ') + 1)
                        : foreignCommand.startsWith("SET") ? "string" : "list");
        assertThat(redis.send("TTL " + moved.get(0))).matches(":[1-9]\\d*");
    }

    @Test
    void foreignDataInPlaceOfRequestIdsIsMovedAndRequestIsBooked() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "m", "r1"));
        var requestKey = keysLike("sluice:{*}:q:*").get(0);
        redis.send("DEL " + requestKey);
        redis.send("RPUSH " + requestKey + " theirs");
        assertThat(book(ledger, entry("user:a", "m", "r1"))).isTrue();
        assertThat(book(ledger, entry("user:a", "m", "r1"))).isFalse();
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(2);
        assertThat(count("llm_ledger_foreign")).isEqualTo(1);
        assertThat(redis.send("TYPE " + keysLike("sluice:{*}:f:*").get(0))).isEqualTo("+list");
    }

    @Test
    void foreignDataDoesNotHideOtherHours() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "m", "r1"));
        redis.send("HSET " + hashKey("user:a") + " theirs 5 openai:x nonsense openai:i:other nonsense");
        redis.send("RPUSH " + hashKey("user:a").replace("l:" + HOUR, "l:" + (HOUR - 1)) + " theirs");
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(1);
        assertThat(read(ledger, "user:a", "other")).isNull();
    }

    @Test
    void cappedSumIsCountedAndDoesNotBlockOthers() {
        var ledger = ledger(100);
        redis.send("HSET " + hashKey("user:a") + " openai:p:m 9223372036854775807");
        var other = besides("user:a", 0);
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        book(ledger, entry("user:a", "m", null));
        book(ledger, entry(other, "m", null));
        connectionsRejected = false;
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
        assertThat(count("llm_ledger_dropped")).isEqualTo(1);
        assertThat(read(ledger, "user:a", "m"))
                .isEqualTo(new UsageTotals(1, 10, 2, 1, 5, BigInteger.valueOf(Long.MAX_VALUE), 0, 0));
        assertThat(read(ledger, other, "m").picodollars()).isEqualTo(1_234_567);
    }

    @Test
    void overflowingSumOfSeveralEntriesIsCapped() {
        var ledger = ledger(100);
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        for (int i = 0; i < 3; i++) {
            book(ledger, new LedgerEntry("user:a", "openai", "m", TokenUsage.of(1, 1), Long.MAX_VALUE / 2, false, null));
        }
        connectionsRejected = false;
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
        assertThat(read(ledger, "user:a", "m").picodollars()).isEqualTo(Long.MAX_VALUE);
    }

    /** Redis has received the batch and replied to it. */
    private void bookLater(LedgerStore ledger, LedgerEntry entry) {
        ledger.book(entry, HOUR);
        link.send(Request.cmd(Command.PING)).toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void batchWaitsWhileRedisIsOutOfMemory() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "m", "r0"));
        redis.send("CONFIG SET maxmemory 1");
        bookLater(ledger, entry("user:a", "m", "r1"));
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isEqualTo(1);
        redis.send("CONFIG SET maxmemory 0");
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(2);
    }

    /** A batch is booked once or waits, whichever command Redis rejects. */
    @ParameterizedTest
    @ValueSource(strings = {"set", "get", "hmget", "hset", "hincrby", "zscore", "zadd", "zremrangebyrank", "expireat", "ttl",
            "time", "expire"})
    void batchIsBookedOnceThoughRedisRefusesACommand(String command) {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "m", "r0"));
        redis.send("ACL SETUSER default -" + command);
        bookLater(ledger, entry("user:a", "m", "r1"));
        await().atMost(TIMEOUT).until(() -> redis.send("ACL SETUSER default +" + command).equals("+OK"));
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(2);
        assertThat(count("llm_ledger_dropped")).isZero();
    }

    @Test
    void repeatedBatchReturnsTheFirstResult() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "m", "r0"));
        var script = LuaScript.load(RedisLedger.class, "book.lua");
        var hashKey = hashKey("user:a");
        var requests = keys.keyPrefix("user:a") + "q:mark";
        var involved = List.of(keys.keyPrefix("user:a") + "s:me", hashKey, requests, keys.keyPrefix("user:a") + "u:mark",
                keys.keyPrefix("user:a") + "n:days");
        var outcomes = new ArrayList<String>();
        for (var number : List.of("7", "7", "8", "8", "7")) {
            var arguments = List.of(number, "60", "100", "other", "100", "32", "60", "2", "9999999999", "3", "4", "id", "5",
                    "1:user:a", "", "openai", "m", "1", "c", "1", "2", "9999999999", "0", "0", "", "5", "1:user:a", "",
                    "openai",
                    "m", "1", "c", "1");
            outcomes.add(link.eval(script, involved, arguments).toCompletionStage().toCompletableFuture().join().toString());
        }
        assertThat(outcomes).containsExactly("11", "11", "01", "01", "");
        assertThat(inRedis("user:a")).isEqualTo(4);
    }

    @Test
    void closeCancelsTheTimer() {
        var ledger = ledger(100);
        connectionsRejected = true;
        wire.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        book(ledger, entry("user:a", "m", null)); // waits and is retried
        ledger.close().await().atMost(TIMEOUT);
        assertThat(ledger.isFlushScheduled()).isFalse();
        book(ledger, entry("user:a", "other", null));
        assertThat(ledger.isFlushScheduled()).isFalse();
    }
}
