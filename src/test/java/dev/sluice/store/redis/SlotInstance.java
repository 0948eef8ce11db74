package dev.sluice.store.redis;

import java.time.Duration;
import java.util.List;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.store.StoreResult;
import dev.sluice.store.StoreUnderTest;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.concurrency.HeldSlots;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** The store of an instance that may be killed. */
final class SlotInstance implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final HashTags KEYS = new HashTags("sluice");

    private final Vertx vertx = Vertx.vertx();
    private final Redis client;
    final RedisConnectionManager manager;
    final RedisWindowStore store;
    final HeldSlots held = new HeldSlots();

    SlotInstance(String url) {
        this(url, TIMEOUT);
    }

    /** @param timeout time for which a decision waits for Redis; three times as long, the circuit opens */
    SlotInstance(String url, Duration timeout) {
        client = Redis.createClient(vertx, new RedisOptions().setConnectionString(url));
        manager = new RedisConnectionManager(vertx, client::connect, KEYS, 10_000);
        if (timeout != TIMEOUT) {
            manager.setReplyTimeout(timeout);
        }
        manager.start().toCompletionStage().toCompletableFuture().join();
        store = new RedisWindowStore(manager, KEYS, StoreUnderTest.EXACT, StoreUnderTest.MAX_WINDOWS, timeout,
                GrantRecorder.NONE,
                held, StoreUnderTest.InRedis.TEST_TIME);
    }

    StoreResult take(String identifier, WindowClaim... claims) {
        return store.take(identifier, List.of(claims), true, null).await().atMost(TIMEOUT);
    }

    long used(String identifier, WindowClaim claim) {
        return store.take(identifier, List.of(claim), false, null).await().atMost(TIMEOUT).windows()[0].used();
    }

    /** Ends without any further message, as a killed process does. */
    @Override
    public void close() {
        manager.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
