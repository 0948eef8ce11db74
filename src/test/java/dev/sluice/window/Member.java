package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import dev.sluice.limit.Fallback;
import dev.sluice.limit.Mode;
import dev.sluice.limit.Unit;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** One of several instances in this process: all that an instance has between its API and Redis. */
final class Member implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    private final Vertx vertx = Vertx.vertx();
    private final Redis client;
    private final RedisLink link;
    private final Fleet fleet;
    private final MemoryStore memory;
    private final Merger merger;
    private final Rejoining rejoining;
    private final Windows windows;

    Member(String url) {
        this(url, Fallback.LOCAL, 1);
    }

    Member(String url, Fallback fallback, int expected) {
        var keys = new KeySpace("sluice");
        client = Redis.createClient(vertx, new RedisOptions().setConnectionString(url));
        link = new RedisLink(vertx, client::connect, keys, 10_000);
        link.answersWithin(TIMEOUT);
        fleet = new Fleet(keys, expected, RedisScript.SERVER_TIME);
        memory = new MemoryStore(fleet, StoreUnderTest.EXACT, 64 << 20);
        merger = new Merger(link, memory, keys, RedisScript.SERVER_TIME);
        rejoining = new Rejoining(vertx, link, fleet, memory, merger, TIMEOUT);
        var store = new RedisStore(link, keys, StoreUnderTest.EXACT, TIMEOUT, memory::record,
                RedisScript.SERVER_TIME);
        windows = new Windows(store, memory, fleet, fallback);
        link.start().toCompletionStage().handle((started, failure) -> null).toCompletableFuture().join();
        rejoining.start();
    }

    Mode mode() {
        return windows.mode();
    }

    Fleet fleet() {
        return fleet;
    }

    MemoryStore memory() {
        return memory;
    }

    Windows windows() {
        return windows;
    }

    Windows.Answer take(String identifier, Claim... claims) {
        return windows.take(identifier, List.of(claims), true, null).await().atMost(PATIENCE);
    }

    Windows.Answer reserve(String identifier, Claim... claims) {
        var name = UUID.randomUUID().toString().replace("-", "");
        return windows.take(identifier, List.of(claims), true, name).await().atMost(PATIENCE);
    }

    void settle(String identifier, Windows.Answer reserved, long tokens) {
        windows.settle(identifier, reserved.reservation(), Map.of("tokens", tokens)).await().atMost(PATIENCE);
    }

    void reset(String identifier) {
        windows.reset(new ResetScope(identifier, null)).await().atMost(PATIENCE);
    }

    /** How many of so many requests are let pass. */
    int admitted(int requests, String identifier, Claim claim) {
        int admitted = 0;
        for (int i = 0; i < requests; i++) {
            admitted += take(identifier, claim).outcome().admitted() ? 1 : 0;
        }
        return admitted;
    }

    static Claim requests(long limit) {
        return new Claim("r", 600_000_000, limit, Unit.REQUESTS, 1, false);
    }

    static Claim tokens(long limit, long estimate) {
        return new Claim("tokens", 3_600_000_000L, limit, Unit.TOKENS, estimate, true);
    }

    long used(String identifier, String resource, Duration window) {
        return windows.read(store -> store.usage(identifier, resource, window)).await().atMost(PATIENCE).current();
    }

    /** As a process ends that is killed: nobody is told. */
    @Override
    public void close() {
        link.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
