package dev.sluice.service.llm;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Tests the memory of proven keys with a real Redis and a clock that is set by hand. */
class ProvenKeysTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final long DAY = Duration.ofDays(1).toSeconds();
    private static final ProviderKey KEY = ProviderKey.of(Provider.OPENAI, "sk-one");

    private final Vertx vertx = Vertx.vertx();
    private final RedisTestServer redis = RedisTestServer.start();
    private final HashTags hashTags = new HashTags("sluice");
    private final Redis client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redis.url()));
    private final RedisConnectionManager link = new RedisConnectionManager(vertx, client::connect, hashTags, 10_000);
    private final AtomicLong nanos = new AtomicLong(-5); // its sign must not matter

    @BeforeEach
    void connect() {
        link.start().toCompletionStage().toCompletableFuture().join();
    }

    @AfterEach
    void close() {
        link.close();
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        redis.close();
    }

    private ProvenKeys instance() {
        return new ProvenKeys(link, hashTags, TIMEOUT, nanos::get);
    }

    private static boolean isProven(ProvenKeys keys, ProviderKey key) {
        return keys.isProven(key).toCompletionStage().toCompletableFuture().join();
    }

    private Response redis(Command command, String... arguments) {
        var request = Request.cmd(command);
        for (var argument : arguments) {
            request.arg(argument);
        }
        return link.send(request).toCompletionStage().toCompletableFuture().join();
    }

    private long secondsLeft() {
        return redis(Command.TTL, KEY.marker(hashTags)).toLong();
    }

    private int markers() {
        return redis(Command.KEYS, hashTags.pattern("k")).size();
    }

    private void pass(long duration) {
        nanos.addAndGet(duration);
    }

    @Test
    void instancesShareProofs() {
        var one = instance();
        assertThat(isProven(one, KEY)).isFalse();
        assertThat(markers()).isZero();
        one.prove(KEY);
        assertThat(isProven(one, KEY)).isTrue();
        assertThat(isProven(instance(), KEY)).isTrue();
        assertThat(isProven(instance(), ProviderKey.of(Provider.GEMINI, "sk-one"))).isFalse();
        assertThat(isProven(instance(), ProviderKey.of(Provider.OPENAI, "sk-two"))).isFalse();
        assertThat(secondsLeft()).isBetween(30 * DAY, 31 * DAY);
        assertThat(markers()).isEqualTo(1);
        assertThat(KEY.marker(hashTags)).matches("sluice:\\{[0-9a-f]{2}}:k:openai:[0-9a-f]{64}")
                .startsWith(hashTags.keyPrefix(KEY.identity().identifier()));
    }

    /** The marker is deleted behind its back: a call that asked Redis would find the key unproven. */
    @Test
    void proofsAreCached() {
        instance().prove(KEY);
        var other = instance();
        assertThat(isProven(other, KEY)).isTrue();
        redis(Command.DEL, KEY.marker(hashTags));
        assertThat(other.isProven(KEY).isComplete()).isTrue();
        assertThat(isProven(other, KEY)).isTrue();
    }

    @Test
    void absenceIsCachedForSeconds() {
        var one = instance();
        assertThat(isProven(one, KEY)).isFalse();
        instance().prove(KEY);
        pass(ProvenKeys.UNPROVEN_NANOS - 1);
        assertThat(one.isProven(KEY).isComplete()).isTrue();
        assertThat(isProven(one, KEY)).isFalse();
        pass(1);
        assertThat(isProven(one, KEY)).isTrue();
    }

    @Test
    void successWithinADayDoesNotRenew() {
        var one = instance();
        one.prove(KEY);
        redis(Command.DEL, KEY.marker(hashTags));
        pass(ProvenKeys.RENEWAL_NANOS - 1);
        one.prove(KEY);
        assertThat(secondsLeft()).isEqualTo(-2);
        pass(1);
        one.prove(KEY);
        assertThat(secondsLeft()).isBetween(30 * DAY, 31 * DAY);
    }

    @Test
    void successRenewsAMarkerThatAnotherInstanceWrote() {
        redis(Command.SET, KEY.marker(hashTags), "1", "EX", Long.toString(30 * DAY + 1000));
        var one = instance();
        assertThat(isProven(one, KEY)).isTrue();
        one.prove(KEY);
        assertThat(secondsLeft()).isLessThanOrEqualTo(30 * DAY + 1000);
        redis(Command.SET, KEY.marker(hashTags), "1", "EX", Long.toString(20 * DAY));
        var other = instance();
        assertThat(isProven(other, KEY)).isTrue();
        other.prove(KEY);
        assertThat(secondsLeft()).isBetween(30 * DAY + 1001, 31 * DAY);
    }

    @Test
    void markerWithoutExpiryIsReplaced() {
        redis(Command.RPUSH, KEY.marker(hashTags), "foreign");
        var one = instance();
        assertThat(isProven(one, KEY)).isTrue();
        one.prove(KEY);
        assertThat(secondsLeft()).isBetween(30 * DAY, 31 * DAY);
    }

    @Test
    void proofsEndAfter31Days() {
        redis(Command.SET, KEY.marker(hashTags), "1", "EX", Long.toString(10 * DAY));
        var one = instance();
        assertThat(isProven(one, KEY)).isTrue();
        redis(Command.DEL, KEY.marker(hashTags));
        pass(Duration.ofDays(10).minusMinutes(1).toNanos());
        assertThat(isProven(one, KEY)).isTrue();
        pass(Duration.ofMinutes(1).toNanos());
        assertThat(isProven(one, KEY)).isFalse();
    }

    @Test
    void cacheDecidesWhileRedisIsUnavailable() {
        var known = instance();
        known.prove(KEY);
        assertThat(isProven(instance(), KEY)).isTrue();
        redis.close();
        await().atMost(TIMEOUT).until(() -> !link.isUp());
        assertThat(isProven(known, KEY)).isTrue();
        var other = instance();
        assertThat(other.isProven(KEY).isComplete()).isTrue();
        assertThat(isProven(other, KEY)).isFalse();
        other.prove(KEY);
        assertThat(isProven(other, KEY)).isTrue();
    }

    @Test
    void proofOfAnOutageIsWrittenLater() {
        var connected = new RedisConnectionManager(vertx, client::connect, hashTags, 10_000);
        var other = new ProvenKeys(connected, hashTags, TIMEOUT, nanos::get);
        other.prove(KEY);
        assertThat(isProven(other, KEY)).isTrue();
        assertThat(secondsLeft()).isEqualTo(-2);
        connected.start().toCompletionStage().toCompletableFuture().join();
        pass(ProvenKeys.RETRY_NANOS);
        other.prove(KEY);
        await().atMost(TIMEOUT).until(() -> secondsLeft() > 30 * DAY);
        connected.close();
    }

    @Test
    void memoryIsBounded() {
        var alone = new ProvenKeys(null, hashTags, TIMEOUT, nanos::get);
        for (int i = 0; i < ProvenKeys.MAX_PROVEN + 1000; i++) {
            alone.prove(new ProviderKey(Provider.OPENAI, "proven-" + i));
            alone.isProven(new ProviderKey(Provider.OPENAI, "unknown-" + i));
        }
        assertThat(alone.cached()).isEqualTo(ProvenKeys.MAX_PROVEN);
        assertThat(isProven(alone, KEY)).isFalse();
        alone.prove(KEY);
        assertThat(isProven(alone, KEY)).isTrue();
        pass(ProvenKeys.RETENTION_NANOS - 1);
        assertThat(isProven(alone, KEY)).isTrue();
        pass(1);
        assertThat(isProven(alone, KEY)).isFalse();

        var shared = instance();
        for (int i = 0; i < ProvenKeys.MAX_UNPROVEN + 1000; i++) {
            assertThat(isProven(shared, new ProviderKey(Provider.OPENAI, "unknown-" + i))).isFalse();
        }
        assertThat(shared.cached()).isEqualTo(ProvenKeys.MAX_UNPROVEN);
    }
}
