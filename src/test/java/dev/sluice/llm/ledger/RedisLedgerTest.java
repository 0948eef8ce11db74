package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.math.BigInteger;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.wire.TokenUsage;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisLink;
import dev.sluice.testing.RealRedis;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;

/** The ledger in a real Redis, behind a wire that can be cut in one direction. */
class RedisLedgerTest {

    private static final long HOUR = 500_000;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Vertx vertx = Vertx.vertx();
    private final RealRedis redis = RealRedis.start();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final KeySpace keys = new KeySpace("sluice");
    private volatile boolean answersLost;
    private volatile boolean refused;
    private volatile NetSocket wire;
    private final NetServer relay = relay();
    private final Redis client = Redis.createClient(vertx,
            new RedisOptions().setConnectionString("redis://127.0.0.1:" + relay.actualPort()));
    private final RedisLink link = new RedisLink(vertx, client::connect, keys, 10_000);

    private NetServer relay() {
        NetClient out = vertx.createNetClient();
        return vertx.createNetServer().connectHandler(in -> {
            if (refused) {
                in.close();
                return;
            }
            wire = in;
            in.pause();
            out.connect(redis.port(), "127.0.0.1").onSuccess(to -> {
                to.handler(answer -> {
                    if (!answersLost) {
                        in.write(answer);
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
        var ledger = new RedisLedger(vertx, link, keys, buffer, meters);
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

    private static Ledger.Entry entry(String identifier, String model, String request) {
        return new Ledger.Entry(identifier, "openai", model, new TokenUsage(10, 2, 1, 0, 5), 1_234_567, false, request);
    }

    private static boolean book(LedgerStore ledger, Ledger.Entry entry) {
        return ledger.book(entry, HOUR).await().atMost(PATIENCE);
    }

    private static Tally read(LedgerStore ledger, String identifier, String model) {
        var models = ledger.read(identifier, HOUR - 24, HOUR).await().atMost(PATIENCE).providers().get("openai");
        return models == null ? null : models.get(model);
    }

    @Test
    void readsWhatWasBookedJustNow() {
        var ledger = ledger(100);
        for (int i = 0; i < 1000; i++) {
            book(ledger, entry("user:a", "m:1", null));
        }
        assertThat(read(ledger, "user:a", "m:1")).isEqualTo(
                new Tally(1000, 10_000, 2_000, 1_000, 5_000, BigInteger.valueOf(1_234_567_000), 0, 0));
        assertThat(read(ledger, "user:b", "m:1")).isNull();
    }

    @Test
    void writeWhoseAnswerWasLostIsBookedOnce() {
        var ledger = ledger(100);
        book(ledger, entry("user:a", "other", null));
        read(ledger, "user:a", "other"); // Redis knows the script now
        answersLost = true;
        book(ledger, entry("user:a", "m", null));
        await().atMost(PATIENCE).until(() -> inRedis("user:a") == 1);
        wire.close();
        await().atMost(PATIENCE).until(() -> !link.up());
        book(ledger, entry("user:a", "m", null));
        answersLost = false;
        await().atMost(PATIENCE).until(link::up);
        assertThat(read(ledger, "user:a", "m").calls()).isEqualTo(2);
        assertThat(inRedis("user:a")).isEqualTo(2);
    }

    private long inRedis(String identifier) {
        var direct = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        try {
            var calls = direct.send(Request.cmd(Command.HGET).arg(keys.of(identifier) + "l:" + HOUR + ":" + identifier)
                    .arg("openai:c:m")).toCompletionStage().toCompletableFuture().join();
            return calls == null ? 0 : calls.toLong();
        } finally {
            direct.close();
        }
    }

    @Test
    void waitsForRedisUpToItsBoundAndCountsWhatItDrops() {
        var ledger = ledger(3);
        refused = true;
        wire.close();
        await().atMost(PATIENCE).until(() -> !link.up());
        for (int i = 0; i < 5; i++) {
            book(ledger, entry("user:" + i, "m", null));
        }
        book(ledger, entry("user:0", "m", null)); // adds to what waits
        book(ledger, entry("user:9", "m", "request"));
        assertThat(meters.get("llm_ledger_dropped").counter().count()).isEqualTo(3);
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isEqualTo(3);
        assertThat(read(ledger, "user:0", "m").calls()).isEqualTo(2); // from what waits
        refused = false;
        await().atMost(PATIENCE).until(link::up);
        assertThat(read(ledger, "user:0", "m").calls()).isEqualTo(2);
        assertThat(read(ledger, "user:2", "m").calls()).isEqualTo(1);
        assertThat(read(ledger, "user:3", "m")).isNull();
        await().atMost(PATIENCE).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
    }

    @Test
    void sameRequestIsBookedOnceWhoeverSendsIt() throws InterruptedException {
        var one = ledger(1000);
        var other = new RedisLedger(vertx, link, keys, 1000, new SimpleMeterRegistry());
        var threads = Executors.newFixedThreadPool(4);
        for (int i = 0; i < 400; i++) {
            var ledger = i % 2 == 0 ? one : other;
            var request = "r" + i % 50;
            threads.execute(() -> book(ledger, entry("user:a", "m", request)));
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(read(one, "user:a", "m").calls()).isEqualTo(50);
        assertThat(book(other, entry("user:a", "m", "r1"))).isFalse();
        assertThat(book(other, entry("user:a", "m", "r99"))).isTrue();
    }

    @Test
    void sumThatNoNumberHoldsIsTheLargest() {
        var ledger = ledger(100);
        for (int i = 0; i < 3; i++) {
            ledger.book(new Ledger.Entry("user:a", "openai", "m", TokenUsage.of(TokenUsage.MAX, 0), Long.MAX_VALUE / 2, false,
                    "r" + i), HOUR).await().atMost(PATIENCE);
        }
        var tally = read(ledger, "user:a", "m");
        assertThat(tally.calls()).isEqualTo(3);
        assertThat(tally.picodollars()).isEqualTo(BigInteger.valueOf(Long.MAX_VALUE));
    }

    @Test
    void everyKeyExpires() {
        var ledger = ledger(100);
        long hour = System.currentTimeMillis() / 3_600_000;
        ledger.book(entry("user:a", "m", null), hour).await().atMost(PATIENCE);
        ledger.book(entry("user:a", "m", "request"), hour).await().atMost(PATIENCE);
        ledger.read("user:a", hour, hour).await().atMost(PATIENCE);
        var found = link.send(Request.cmd(Command.KEYS).arg("sluice:*")).toCompletionStage().toCompletableFuture().join();
        assertThat(found.size()).isGreaterThanOrEqualTo(3);
        for (var key : found) {
            if (!key.toString().equals("sluice:probe")) {
                long seconds = link.send(Request.cmd(Command.TTL).arg(key.toString())).toCompletionStage()
                        .toCompletableFuture().join().toLong();
                assertThat(seconds).as(key.toString()).isBetween(1L, 33L * 24 * 3600);
            }
        }
    }

    @Test
    void isWrittenBeforeItCloses() {
        var ledger = ledger(5000);
        for (int i = 0; i < 2000; i++) {
            book(ledger, entry("user:" + i, "m", null));
            book(ledger, entry("user:a", "m" + i, null)); // more than go in one batch
        }
        ledger.close().await().atMost(PATIENCE);
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isZero();
        assertThat(inRedis("user:1999")).isEqualTo(1);
    }
}
