package dev.sluice.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.engine.FailoverWindowStore;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.store.ResetScope;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** One of several instances in this process: all that an instance has between its API and Redis. */
public final class ClusterMember implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    private final Vertx vertx = Vertx.vertx();
    private final Redis client;
    private final RedisConnectionManager link;
    private final InstanceRegistry fleet;
    private final InMemoryWindowStore memory;
    private final UsageMerger merger;
    private final RecoveryCoordinator rejoining;
    private final FailoverWindowStore windows;

    public ClusterMember(String url) {
        this(url, FallbackPolicy.LOCAL, 1);
    }

    ClusterMember(String url, FallbackPolicy fallback, int expected) {
        var keys = new HashTags("sluice");
        client = Redis.createClient(vertx, new RedisOptions().setConnectionString(url));
        link = new RedisConnectionManager(vertx, client::connect, keys, 10_000);
        link.setReplyTimeout(TIMEOUT);
        fleet = new InstanceRegistry(keys, expected, LuaScript.SERVER_TIME);
        memory = new InMemoryWindowStore(fleet, StoreUnderTest.EXACT, 64 << 20);
        merger = new UsageMerger(link, memory, keys, LuaScript.SERVER_TIME);
        rejoining = new RecoveryCoordinator(vertx, link, fleet, memory, merger, TIMEOUT);
        var store = new RedisWindowStore(link, keys, StoreUnderTest.EXACT, TIMEOUT, memory::record,
                LuaScript.SERVER_TIME);
        windows = new FailoverWindowStore(store, memory, fleet, fallback);
        link.start().toCompletionStage().handle((started, failure) -> null).toCompletableFuture().join();
        rejoining.start();
    }

    DecisionMode mode() {
        return windows.mode();
    }

    InstanceRegistry fleet() {
        return fleet;
    }

    InMemoryWindowStore memory() {
        return memory;
    }

    public FailoverWindowStore windows() {
        return windows;
    }

    public FailoverWindowStore.Outcome take(String identifier, WindowClaim... claims) {
        return windows.take(identifier, List.of(claims), true, null).await().atMost(PATIENCE);
    }

    FailoverWindowStore.Outcome reserve(String identifier, WindowClaim... claims) {
        var name = UUID.randomUUID().toString().replace("-", "");
        return windows.take(identifier, List.of(claims), true, name).await().atMost(PATIENCE);
    }

    void settle(String identifier, FailoverWindowStore.Outcome reserved, long tokens) {
        windows.settle(identifier, reserved.reservation(), Map.of("tokens", tokens)).await().atMost(PATIENCE);
    }

    public void reset(String identifier) {
        windows.reset(new ResetScope(identifier, null)).await().atMost(PATIENCE);
    }

    /** How many of so many requests are let pass. */
    public int admitted(int requests, String identifier, WindowClaim claim) {
        int admitted = 0;
        for (int i = 0; i < requests; i++) {
            admitted += take(identifier, claim).result().admitted() ? 1 : 0;
        }
        return admitted;
    }

    public static WindowClaim requests(long limit) {
        return new WindowClaim("r", 600_000_000, limit, QuotaUnit.REQUESTS, 1, false);
    }

    static WindowClaim tokens(long limit, long estimate) {
        return new WindowClaim("tokens", 3_600_000_000L, limit, QuotaUnit.TOKENS, estimate, true);
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
