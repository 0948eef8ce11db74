package dev.sluice.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.QuotaUnit;
import dev.sluice.engine.DefaultRateLimiter;
import dev.sluice.engine.FailoverWindowStore;
import dev.sluice.engine.JointWindowStore;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.store.JointRequest;
import dev.sluice.store.ResetScope;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** One of several instances in this process, with all components between API and Redis. */
public final class ClusterMember implements AutoCloseable {

    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    private final Vertx vertx = Vertx.vertx();
    private final Redis client;
    private final RedisConnectionManager manager;
    private final InstanceRegistry registry;
    private final InMemoryWindowStore memory;
    private final UsageMerger merger;
    private final RecoveryCoordinator recovery;
    private final FailoverWindowStore store;
    private final JointWindowStore jointStore;

    public ClusterMember(String url) {
        this(url, FallbackPolicy.LOCAL, 1);
    }

    ClusterMember(String url, FallbackPolicy fallback, int expected) {
        var hashTags = new HashTags("sluice");
        client = Redis.createClient(vertx, new RedisOptions().setConnectionString(url));
        manager = new RedisConnectionManager(vertx, client::connect, hashTags, 10_000);
        manager.setReplyTimeout(TIMEOUT);
        registry = new InstanceRegistry(hashTags, expected, LuaScript.SERVER_TIME);
        memory = new InMemoryWindowStore(registry, StoreUnderTest.EXACT, 64 << 20, StoreUnderTest.MAX_WINDOWS);
        merger = new UsageMerger(manager, memory, hashTags, LuaScript.SERVER_TIME);
        recovery = new RecoveryCoordinator(vertx, manager, registry, memory, merger, TIMEOUT);
        var redisStore = new RedisWindowStore(manager, hashTags, StoreUnderTest.EXACT,
                StoreUnderTest.MAX_WINDOWS, TIMEOUT, memory::record,
                memory.slots(), LuaScript.SERVER_TIME);
        recovery.beforePeers(redisStore::sendAllSlots);
        store = new FailoverWindowStore(redisStore, memory, registry, fallback);
        jointStore = new JointWindowStore(store, redisStore, memory, registry);
        manager.start().toCompletionStage().handle((started, failure) -> null).toCompletableFuture().join();
        recovery.start();
    }

    DecisionMode mode() {
        return store.mode();
    }

    InstanceRegistry registry() {
        return registry;
    }

    InMemoryWindowStore memory() {
        return memory;
    }

    public FailoverWindowStore store() {
        return store;
    }

    public FailoverWindowStore.Outcome take(String identifier, WindowClaim... claims) {
        return store.take(identifier, List.of(claims), true, null).await().atMost(CALL_TIMEOUT);
    }

    /** Returns a limiter on the windows of this instance. */
    DefaultRateLimiter limiter(DecisionListener... listeners) {
        return new DefaultRateLimiter(store, jointStore, registry, FallbackPolicy.LOCAL, true, false, List.of(listeners));
    }

    long deniedFromCache() {
        return store.deniedFromCache();
    }

    JointWindowStore.Outcome take(JointRequest request) {
        return ResultCallback.<JointWindowStore.Outcome>toUni(callback -> jointStore.take(request, true, null, callback))
                .await()
                .atMost(CALL_TIMEOUT);
    }

    FailoverWindowStore.Outcome reserve(String identifier, WindowClaim... claims) {
        var reservation = UUID.randomUUID().toString().replace("-", "");
        return store.take(identifier, List.of(claims), true, reservation).await().atMost(CALL_TIMEOUT);
    }

    void settle(String identifier, FailoverWindowStore.Outcome reserved, long tokens) {
        store.settle(identifier, reserved.reservation(), Map.of("tokens", tokens)).await().atMost(CALL_TIMEOUT);
    }

    public void reset(String identifier) {
        store.reset(new ResetScope(identifier, null)).await().atMost(CALL_TIMEOUT);
    }

    /** Returns how many of the requests are admitted. */
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
        return store.read(windows -> windows.usage(identifier, resource, window)).await().atMost(CALL_TIMEOUT).used();
    }

    /** Closes without leaving the membership, as a killed process does. */
    @Override
    public void close() {
        manager.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
