package dev.sluice.service;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestServer;

/** Limits of requests in flight of the packaged program, whose instances share them. */
@Execution(ExecutionMode.CONCURRENT)
class ConcurrencyIT {

    private final EchoUpstream upstream = new EchoUpstream();
    @TempDir
    Path folder;
    private Path rules;
    private RedisTestServer redis;
    private int api;

    @BeforeEach
    void start() throws IOException {
        rules = Files.writeString(folder.resolve("rules.yaml"),
                "endpoints: {/trickle: {free: unlimited, concurrency: {free: 2}}}");
        api = upstream.listen(0);
        redis = RedisTestServer.start();
    }

    @AfterEach
    void stop() {
        redis.close();
        upstream.stop();
    }

    private Instance instance() {
        return Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()), "UPSTREAM_URL",
                "http://127.0.0.1:" + api, "RATE_LIMIT_FILE", rules.toString()));
    }

    /** Begins a request whose response does not end, as soon as a slot is free. */
    private static RawHttpConnection begin(Instance instance) {
        return await().until(() -> {
            var connection = new RawHttpConnection(instance.port());
            connection.send("GET /trickle?" + UUID.randomUUID() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            if (connection.readLine().contains(" 200 ")) {
                return connection;
            }
            connection.close();
            return null;
        }, Objects::nonNull);
    }

    private static boolean isRefused(Instance instance) throws IOException {
        try (var connection = new RawHttpConnection(instance.port())) {
            connection.send("GET /trickle?" + UUID.randomUUID() + " HTTP/1.1\r\nHost: x\r\n\r\n");
            var response = connection.readLine();
            assertThat(response).containsAnyOf(" 429 ", " 200 ");
            return response.contains(" 429 ");
        }
    }

    private long entries() {
        var reply = redis.send("KEYS *:f:*");
        return Long.parseLong(reply.substring(1));
    }

    @Test
    void killedInstanceFreesItsSlotsAndStoppedOneToo() throws IOException {
        try (var one = instance(); var two = instance()) {
            var first = begin(one);
            var second = begin(one);
            assertThat(isRefused(two)).as("two are in flight").isTrue();
            long killedAt = System.nanoTime();
            one.kill();
            await().until(() -> !isRefused(two));
            assertThat(System.nanoTime() - killedAt).as("not before its heartbeat is too old").isGreaterThan(1_000_000_000L);
            first.close();
            second.close();

            try (var three = instance()) {
                await().until(() -> entries() == 0);
                var held = begin(three);
                var other = begin(three);
                assertThat(isRefused(two)).isTrue();
                three.terminate();
                held.close();
                other.close();
                await().until(() -> entries() == 0);
            }
        }
    }

    @Test
    void heldSlotsCountInAnOutageAndAfterALossOfData() throws IOException {
        try (var one = instance(); var two = instance()) {
            var held = begin(one);
            var other = begin(two);
            int port = redis.port();
            redis.close();
            await().until(() -> one.log().contains("Redis is unavailable") && two.log().contains("Redis is unavailable"));
            assertThat(isRefused(one)).as("its share is one, which is held").isTrue();
            assertThat(isRefused(two)).isTrue();
            held.close();
            held = begin(one);

            redis = RedisTestServer.start(port);
            await().until(
                    () -> one.log().contains("Redis is available again") && two.log().contains("Redis is available again"));
            assertThat(isRefused(one)).as("both are counted again").isTrue();
            assertThat(isRefused(two)).isTrue();
            other.close();
            await().until(() -> !isRefused(one));
            held.close();
            await().until(() -> entries() == 0);
        }
    }
}
