package dev.sluice.store;

import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;

/** Base class of tests with a store in memory and one in Redis, which decide alike. */
abstract class StoresTestBase {

    static final Duration TIMEOUT = Duration.ofSeconds(60);

    static StoreUnderTest memory;
    static StoreUnderTest redis;

    @BeforeAll
    static void open() {
        memory = new StoreUnderTest.InMemory();
        redis = new StoreUnderTest.InRedis();
    }

    @AfterAll
    static void close() {
        memory.close();
        redis.close();
    }

    /** Returns the arguments of a parameterized test. */
    static List<StoreUnderTest> stores() {
        return List.of(memory, redis);
    }

    /** Decides a request of several identifiers. */
    static StoreResult take(StoreUnderTest store, JointRequest request, boolean consume, String reservation) {
        return store.store() instanceof InMemoryWindowStore inMemory
                ? inMemory.takeNow(request, consume, reservation)
                : ResultCallback.<StoreResult>toUni(
                        callback -> ((RedisWindowStore) store.store()).take(request, consume, reservation, callback)).await()
                        .atMost(TIMEOUT);
    }
}
