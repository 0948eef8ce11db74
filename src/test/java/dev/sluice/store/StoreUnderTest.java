package dev.sluice.store;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import dev.sluice.api.QuotaUnit;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.GrantRecorder;
import dev.sluice.store.redis.RedisWindowStore;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Store with a clock that the test sets. */
public abstract class StoreUnderTest implements AutoCloseable {

    public static final long EXACT = 10_000;
    /** Maximum number of windows per identifier. */
    public static final int MAX_WINDOWS = 10_000;

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private long now = 1_800_000_000_000_000L;

    public abstract WindowStore store();

    /** Returns a store with the same clock, and with this maximum number of windows per identifier. */
    abstract WindowStore bounded(int maxWindows);

    abstract void setTime(long micros);

    /** Deletes what has expired by the test's clock, if the store expires it by another one. */
    abstract void expire(String identifier, String resource, long seconds);

    public long now() {
        return now;
    }

    public void at(long micros) {
        now = micros;
        setTime(micros);
    }

    public void pass(long micros) {
        at(now + micros);
    }

    public StoreResult take(String identifier, WindowClaim... claims) {
        return store().take(identifier, List.of(claims), true, null).await().atMost(TIMEOUT);
    }

    public StoreResult query(String identifier, WindowClaim... claims) {
        return store().take(identifier, List.of(claims), false, null).await().atMost(TIMEOUT);
    }

    public long used(String identifier, String resource, long seconds) {
        return store().usage(identifier, resource, Duration.ofSeconds(seconds)).await().atMost(TIMEOUT).used();
    }

    public static WindowClaim claim(String resource, long seconds, long limit, long cost) {
        return new WindowClaim(resource, seconds * 1_000_000, limit, QuotaUnit.REQUESTS, cost, false);
    }

    public static WindowClaim tokens(String resource, long seconds, long limit, long estimate) {
        return new WindowClaim(resource, seconds * 1_000_000, limit, QuotaUnit.TOKENS, estimate, true);
    }

    public StoreResult reserve(String identifier, String reservation, WindowClaim... claims) {
        return store().take(identifier, List.of(claims), true, reservation).await().atMost(TIMEOUT);
    }

    public void settle(String identifier, String reservation, Map<String, Long> used) {
        store().settle(identifier,
                new ReservationToken(ReservationToken.Location.REDIS, reservation,
                        Stream.of(60L, 3600L, 86_400L).map(seconds -> new WindowKey("", seconds * 1_000_000)).toList(), null),
                used)
                .await()
                .atMost(TIMEOUT);
    }

    @Override
    public abstract void close();

    /** Windows in memory. */
    public static final class InMemory extends StoreUnderTest {

        private final InMemoryWindowStore store = new InMemoryWindowStore(this::now, EXACT, 64 << 20, MAX_WINDOWS);

        @Override
        public InMemoryWindowStore store() {
            return store;
        }

        @Override
        InMemoryWindowStore bounded(int maxWindows) {
            return new InMemoryWindowStore(this::now, EXACT, 64 << 20, maxWindows);
        }

        @Override
        void setTime(long micros) {
            // the store reads now()
        }

        @Override
        void expire(String identifier, String resource, long seconds) {
            // the store's clock is that of the test
        }

        @Override
        public void close() {
            // nothing to close
        }
    }

    /** Windows in a real Redis, whose script takes the time from a key that the test sets. */
    public static final class InRedis extends StoreUnderTest {

        public static final String TEST_TIME = "redis.call('LRANGE', 'test-clock', 0, 1)";

        private static final HashTags KEYS = new HashTags("sluice");

        private final RedisTestServer redis = RedisTestServer.start();
        private final Vertx vertx = Vertx.vertx();
        private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        private final RedisConnectionManager manager = new RedisConnectionManager(vertx, client::connect, KEYS, 10_000);
        private final RedisWindowStore store;

        public InRedis() {
            manager.start().toCompletionStage().toCompletableFuture().join();
            store = bounded(MAX_WINDOWS);
            at(now());
        }

        @Override
        public RedisWindowStore store() {
            return store;
        }

        @Override
        RedisWindowStore bounded(int maxWindows) {
            return new RedisWindowStore(manager, KEYS, EXACT, maxWindows, TIMEOUT, GrantRecorder.NONE, TEST_TIME);
        }

        @Override
        void expire(String identifier, String resource, long seconds) {
            send(Request.cmd(Command.DEL)
                    .arg(new WindowKeys(KEYS).window(identifier, WindowKeys.windowMember(resource, seconds))));
        }

        @Override
        void setTime(long micros) {
            send(Request.cmd(Command.DEL).arg("test-clock"));
            send(Request.cmd(Command.RPUSH).arg("test-clock").arg(micros / 1_000_000).arg(micros % 1_000_000));
        }

        public Response send(Request request) {
            return client.send(request).toCompletionStage().toCompletableFuture().join();
        }

        public RedisConnectionManager manager() {
            return manager;
        }

        public RedisScriptConnection connection() {
            return manager.connection().result();
        }

        public int port() {
            return redis.port();
        }

        @Override
        public void close() {
            manager.close();
            client.close();
            vertx.close().toCompletionStage().toCompletableFuture().join();
            redis.close();
        }
    }
}
