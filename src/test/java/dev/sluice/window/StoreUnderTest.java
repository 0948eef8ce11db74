package dev.sluice.window;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import dev.sluice.limit.Unit;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisLink;
import dev.sluice.testing.RealRedis;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** A store whose clock the test sets by hand. */
abstract class StoreUnderTest implements AutoCloseable {

    static final long EXACT = 10_000;

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private long now = 1_800_000_000_000_000L;

    abstract WindowStore store();

    abstract void setTime(long micros);

    long now() {
        return now;
    }

    void at(long micros) {
        now = micros;
        setTime(micros);
    }

    void pass(long micros) {
        at(now + micros);
    }

    Outcome take(String identifier, Claim... claims) {
        return store().take(identifier, List.of(claims), true, null).await().atMost(PATIENCE);
    }

    Outcome ask(String identifier, Claim... claims) {
        return store().take(identifier, List.of(claims), false, null).await().atMost(PATIENCE);
    }

    long used(String identifier, String resource, long seconds) {
        return store().usage(identifier, resource, Duration.ofSeconds(seconds)).await().atMost(PATIENCE).current();
    }

    static Claim claim(String resource, long seconds, long limit, long cost) {
        return new Claim(resource, seconds * 1_000_000, limit, Unit.REQUESTS, cost, false);
    }

    static Claim tokens(String resource, long seconds, long limit, long estimate) {
        return new Claim(resource, seconds * 1_000_000, limit, Unit.TOKENS, estimate, true);
    }

    Outcome reserve(String identifier, String reservation, Claim... claims) {
        return store().take(identifier, List.of(claims), true, reservation).await().atMost(PATIENCE);
    }

    void settle(String identifier, String reservation, Map<String, Long> used) {
        store().settle(identifier, new Reservation(Reservation.Place.REDIS, reservation, List.of(60L, 3600L, 86_400L)), used)
                .await()
                .atMost(PATIENCE);
    }

    @Override
    public abstract void close();

    /** Windows in memory. */
    static final class InMemory extends StoreUnderTest {

        private final MemoryStore store = new MemoryStore(this::now, EXACT, 64 << 20);

        @Override
        MemoryStore store() {
            return store;
        }

        @Override
        void setTime(long micros) {
            // the store reads now()
        }

        @Override
        public void close() {
            // nothing to close
        }
    }

    /** Windows in a real Redis, whose script takes the time from a key that the test sets. */
    static final class InRedis extends StoreUnderTest {

        static final String TEST_TIME = "redis.call('LRANGE', 'test-clock', 0, 1)";

        private static final KeySpace KEYS = new KeySpace("sluice");

        private final RealRedis redis = RealRedis.start();
        private final Vertx vertx = Vertx.vertx();
        private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
        private final RedisLink link = new RedisLink(vertx, client::connect, KEYS, 10_000);
        private final RedisStore store;

        InRedis() {
            link.start().toCompletionStage().toCompletableFuture().join();
            store = new RedisStore(link, KEYS, EXACT, PATIENCE, GrantRecorder.NONE, TEST_TIME);
            at(now());
        }

        @Override
        RedisStore store() {
            return store;
        }

        @Override
        void setTime(long micros) {
            send(Request.cmd(Command.DEL).arg("test-clock"));
            send(Request.cmd(Command.RPUSH).arg("test-clock").arg(micros / 1_000_000).arg(micros % 1_000_000));
        }

        Response send(Request request) {
            return client.send(request).toCompletionStage().toCompletableFuture().join();
        }

        RedisLink link() {
            return link;
        }

        RedisChannel channel() {
            return link.channel().result();
        }

        int port() {
            return redis.port();
        }

        @Override
        public void close() {
            link.close();
            client.close();
            vertx.close().toCompletionStage().toCompletableFuture().join();
            redis.close();
        }
    }
}
