package dev.sluice.llm.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.RedisTestServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;

/** Tests which entries of the ledger are sent in one call, with a real Redis. */
class LedgerBatchesTest {

    private static final long HOUR = 500_000;
    private static final int USERS = 400;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HashTags tags = new HashTags("sluice");
    private RedisTestServer redis;
    private RedisConnectionManager manager;
    private RedisLedger ledger;

    private void start(RedisTestServer server) {
        redis = server;
        var client = Redis.createClient(vertx, new RedisOptions().setConnectionString(server.url()));
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

    private void book(String identifier) {
        ledger.book(new LedgerEntry(identifier, "openai", "m", TokenUsage.of(10, 5), 7, false, null), HOUR).await()
                .atMost(TIMEOUT);
    }

    private long calls(String identifier) {
        var models = ledger.read(identifier, HOUR, HOUR).await().atMost(TIMEOUT).providers().get("openai");
        return models == null ? 0 : models.get("m").calls();
    }

    private void awaitWritten() {
        await().atMost(TIMEOUT).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
    }

    private long scriptCalls() {
        var statistics = manager.send(Request.cmd(Command.INFO).arg("commandstats")).toCompletionStage().toCompletableFuture()
                .join().toString();
        return statistics.lines().filter(line -> line.startsWith("cmdstat_eval"))
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1"))).sum();
    }

    @Test
    void entriesOfAllUsersAreSentInOneCall() {
        start(RedisTestServer.start());
        IntStream.range(0, USERS).forEach(user -> book("user:" + user)); // wait for the connection
        connect();
        awaitWritten();
        assertThat(scriptCalls()).isLessThan(10);
        assertThat(IntStream.range(0, USERS).mapToLong(user -> calls("user:" + user))).containsOnly(1L);
    }

    /** A cluster that is used as if it was one server, as behind a proxy, rejects keys of several slots. */
    @Test
    void clusterBehindOneAddressReceivesEveryEntryOnce() {
        start(RedisTestServer.startCluster());
        IntStream.range(0, USERS).forEach(user -> book("user:" + user));
        connect();
        assertThat(calls("user:7")).as("reads its own writes").isEqualTo(1);
        awaitWritten();
        IntStream.range(0, USERS).forEach(user -> book("user:" + user));
        assertThat(IntStream.range(0, USERS).mapToLong(user -> calls("user:" + user))).containsOnly(2L);
        assertThat(meters.get("llm_ledger_dropped").counter().count()).isZero();
    }

    @Test
    void closeWritesWhatAClusterBehindOneAddressHasRejected() {
        start(RedisTestServer.startCluster());
        IntStream.range(0, USERS).forEach(user -> book("user:" + user));
        connect();
        ledger.close().await().atMost(TIMEOUT);
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isZero();
    }

    /** Foreign data that cannot be moved holds up the entries of its own hash tag only. */
    @Test
    void foreignDataThatCannotBeMovedDoesNotHoldUpOthers() {
        start(RedisTestServer.start());
        redis.send("ACL SETUSER default -renamenx");
        redis.send("RPUSH " + tags.keyPrefix("user:7") + "l:" + HOUR + ":user:7 theirs");
        IntStream.range(0, USERS).forEach(user -> book("user:" + user));
        connect();
        var others = IntStream.range(0, USERS).mapToObj(user -> "user:" + user)
                .filter(user -> tags.tag(user) != tags.tag("user:7")).toList();
        await().atMost(TIMEOUT).untilAsserted(() -> assertThat(others).allMatch(user -> calls(user) == 1));
        assertThat(meters.get("llm_ledger_waiting").gauge().value()).isBetween(1.0, USERS - (double) others.size());
        redis.send("ACL SETUSER default +renamenx");
        awaitWritten();
        assertThat(calls("user:7")).isEqualTo(1);
    }
}
