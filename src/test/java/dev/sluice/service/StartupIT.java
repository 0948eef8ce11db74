package dev.sluice.service;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;

/** Startup of the packaged program with various settings. */
@Execution(ExecutionMode.CONCURRENT)
class StartupIT {

    private static final String CHECK = "{\"identifier\":\"x\",\"resource\":\"r\",\"limit\":2,\"window_seconds\":3600}";

    private static String unusedPort() {
        return Integer.toString(FreePorts.next());
    }

    @Test
    void startsWithLocalFallbackWithoutRedis() {
        try (var sluice = Instance.start(Map.of("REDIS_PORT", unusedPort()))) {
            var http = new HttpTestClient(sluice.port());
            var response = http.post("/v1/check", CHECK);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Mode")).isEqualTo("local");
            http.post("/v1/check", CHECK);
            assertThat(http.post("/v1/check", CHECK).statusCode()).isEqualTo(429);
            var ready = new HttpTestClient(sluice.managementPort()).get("/q/health/ready");
            assertThat(ready.statusCode()).isEqualTo(200);
            assertThat(ready.body()).contains("rate-limit-store").contains("\"local\"");
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/metrics").body())
                    .contains("rate_limit_store_available 0.0")
                    .contains(
                            "rate_limit_decisions_total{outcome=\"denied\",resource=\"custom\",store=\"local\",tier=\"none\"} 1.0")
                    .contains("rate_limit_check_seconds_bucket{store=\"local\"");
            assertThat(sluice.log()).containsOnlyOnce("Redis is unavailable").containsOnlyOnce("Sluice: limiting;");
        }
    }

    @Test
    void connectsToRedisOverUnixSocket(@TempDir Path folder) {
        var socket = folder.resolve("redis.sock");
        try (var redis = RedisTestServer.startOnSocket(socket);
                var sluice = Instance.start(Map.of("REDIS_HOSTS", "unix://" + socket + "?db=2", "RATE_LIMIT_TIMEOUT", "5s"))) {
            var http = new HttpTestClient(sluice.port());
            http.post("/v1/check", CHECK);
            assertThat(header(http.post("/v1/check", CHECK), "X-RateLimit-Mode")).isNull();
            assertThat(http.post("/v1/check", CHECK).statusCode()).isEqualTo(429);
            assertThat(redis.send("DBSIZE")).isEqualTo(":0"); // of database 0
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "replication"})
    @DisabledIfSystemProperty(named = "native.image.path", matches = ".+", disabledReason = "has no hosts file of its own")
    void connectsToRedisByHostNamesWithUnderscores(String type, @TempDir Path folder) throws IOException {
        var hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.1 my_redis\n127.0.0.1 localhost\n");
        try (var redis = RedisTestServer.start();
                var sluice = Instance.start(Map.of("REDIS_HOST", "my_redis", "REDIS_PORT", Integer.toString(redis.port()),
                        "REDIS_CLIENT_TYPE", type, "RATE_LIMIT_TIMEOUT", "5s", "JAVA_TOOL_OPTIONS",
                        "-Dvertx.disableDnsResolver=true -Djdk.net.hosts.file=" + hosts))) {
            var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Mode")).as(sluice.log()).isNull();
        }
    }

    @Test
    void unixSocketRequiresStandaloneRedis() {
        assertThat(Instance
                .startExpectingFailure(Map.of("REDIS_HOSTS", "unix:///run/redis.sock", "REDIS_CLIENT_TYPE", "sentinel")))
                .contains("REDIS_HOSTS=unix:///run/redis.sock: unix:// with REDIS_CLIENT_TYPE=standalone only, not sentinel");
        assertThat(Instance.startExpectingFailure(Map.of("REDIS_HOSTS", "unix:relative"))).contains("REDIS_HOSTS=(not shown)")
                .contains("unix:///path/of/socket");
    }

    @Test
    void unknownHeaderSetAbortsTheStart() {
        assertThat(Instance.startExpectingFailure(Map.of("REDIS_PORT", unusedPort(), "RATE_LIMIT_HEADERS", "modern")))
                .contains("rate-limit.headers=modern: all, standard, legacy or none");
    }

    @Test
    void invalidUpstreamSettingsStopTheStart() {
        assertThat(Instance.startExpectingFailure(Map.of("REDIS_PORT", unusedPort(), "UPSTREAM_URL", "http://localhost:1",
                "RATE_LIMIT_UPSTREAM_MAX_CONNECTIONS", "0", "RATE_LIMIT_UPSTREAM_CONNECT_TIMEOUT", "PT-1S")))
                .contains("rate-limit.upstream.max-connections=0: 1 or more")
                .contains("rate-limit.upstream.connect-timeout=PT-1S: a duration from 1ms");
    }

    @Test
    void openFallbackAdmitsAndClosedRejects() {
        try (var sluice = Instance.start(Map.of("REDIS_PORT", unusedPort(), "RATE_LIMIT_FALLBACK", "open"))) {
            var http = new HttpTestClient(sluice.port());
            for (int i = 0; i < 4; i++) {
                var response = http.post("/v1/check", CHECK);
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(header(response, "X-RateLimit-Mode")).isEqualTo("open");
            }
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/health/ready").body()).contains("\"open\"")
                    .contains("UP");
        }
        try (var sluice = Instance.start(Map.of("REDIS_PORT", unusedPort(), "RATE_LIMIT_FALLBACK", "closed"))) {
            var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(error(response).getString("code")).isEqualTo("RATE_5002");
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/health/ready").statusCode()).isEqualTo(503);
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/health/live").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void redisDisabledIsNoOutage() {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false"))) {
            var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Mode")).isNull();
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/health/ready").body()).contains("\"memory\"");
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/metrics").body())
                    .contains("rate_limit_store_available 1.0");
            assertThat(sluice.log()).doesNotContain("Redis is unavailable");
        }
    }

    @Test
    void outageOfRedisAndItsEndAreDetected() {
        var redis = RedisTestServer.start();
        int port = redis.port();
        try (var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(port)))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(header(http.post("/v1/check", CHECK), "X-RateLimit-Mode")).isNull();
            redis.close();
            var during = http.post("/v1/check", CHECK);
            assertThat(during.statusCode()).isEqualTo(200);
            assertThat(header(during, "X-RateLimit-Mode")).isEqualTo("local");
            redis = RedisTestServer.start(port);
            Polling.await()
                    .until(() -> header(http.post("/v1/check", CHECK.replace("\"x\"", "\"y\"")), "X-RateLimit-Mode") == null);
            assertThat(sluice.log()).containsOnlyOnce("WARN").contains("Redis is available again");
        } finally {
            redis.close();
        }
    }

    @Test
    void redisThatRejectsWritesIsAnOutage() {
        try (var redis = RedisTestServer.start();
                var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT",
                        Integer.toString(redis.port()), "RATE_LIMIT_FALLBACK", "closed"))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(http.post("/v1/check", CHECK).statusCode()).isEqualTo(200);
            redis.send("CONFIG SET maxmemory 1");
            Polling.await().until(() -> {
                assertThat(http.post("/v1/check", CHECK).statusCode()).isIn(503, 429);
                return new HttpTestClient(sluice.managementPort()).get("/q/health/ready").statusCode() == 503;
            });
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/metrics").body())
                    .contains("rate_limit_store_available 0.0");
            redis.send("CONFIG SET maxmemory 0");
            Polling.await()
                    .until(() -> new HttpTestClient(sluice.managementPort()).get("/q/health/ready").statusCode() == 200);
            assertThat(sluice.log()).containsOnlyOnce("WARN").contains("OOM").contains("Redis is available again");
        }
    }

    @Test
    void evictionPolicyIsWarnedOfOnce() {
        try (var redis = RedisTestServer.start()) {
            redis.send("CONFIG SET maxmemory 100mb");
            redis.send("CONFIG SET maxmemory-policy allkeys-lru");
            try (var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port())))) {
                Polling.await().until(() -> sluice.log().contains("maxmemory-policy=allkeys-lru"));
                assertThat(sluice.log()).containsOnlyOnce("WARN");
            }
            redis.send("CONFIG SET maxmemory-policy noeviction");
            try (var sluice = Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port())))) {
                assertThat(sluice.log()).doesNotContain("WARN");
            }
        }
    }

    @Test
    void disabledLimitsCountNothing() {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_ENABLED", "false"))) {
            for (int i = 0; i < 4; i++) {
                var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(json(response).getLong("remaining")).isEqualTo(2);
                assertThat(header(response, "X-RateLimit-Limit")).isNull();
            }
        }
    }

    @Test
    void dryRunDeniesNothingAndReportsDenials() {
        var upstream = new EchoUpstream();
        int port = upstream.listen(0);
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_DRY_RUN", "true", "RATE_LIMIT_DEFAULT",
                "2/minute", "UPSTREAM_URL", "http://127.0.0.1:" + port))) {
            var http = new HttpTestClient(sluice.port());
            http.get("/x");
            http.get("/x");
            var over = http.get("/x");
            assertThat(over.statusCode()).isEqualTo(200);
            assertThat(header(over, "X-RateLimit-Remaining")).isEqualTo("0");
            assertThat(header(over, "X-RateLimit-Dry-Run")).isEqualTo("denied");
            assertThat(header(over, "Retry-After")).isNull();
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/metrics").body()).contains(
                    "rate_limit_decisions_total{outcome=\"denied\",resource=\"api:default\",store=\"local\",tier=\"free\"} 1.0");
        } finally {
            upstream.stop();
        }
    }

    @Test
    void unreachableUpstreamIs502() {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "UPSTREAM_URL",
                "http://127.0.0.1:" + FreePorts.next()))) {
            var response = new HttpTestClient(sluice.port()).get("/x");
            assertThat(response.statusCode()).isEqualTo(502);
            assertThat(error(response).getString("code")).isEqualTo("RATE_5021");
            assertThat(sluice.log()).doesNotContain("ERROR");
        }
    }

    @Test
    void kubernetesServiceLinkIsNotAPort() {
        try (var sluice = Instance.start(Map.of("REDIS_PORT", "tcp://10.0.0.1:6379", "REDIS_HOST", "127.0.0.1"))) {
            assertThat(sluice.log()).contains("REDIS_PORT").contains("Kubernetes");
            var check = CHECK.replace("\"x\"", '"' + UUID.randomUUID().toString() + '"'); // a Redis may be running at 6379
            assertThat(new HttpTestClient(sluice.port()).post("/v1/check", check).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void invalidSettingsAbortTheStartWithALineEach(@TempDir Path folder) throws IOException {
        var file = folder.resolve("application.properties");
        Files.writeString(file, """
                rate-limit.endpoints."/a".free=often
                rate-limit.endpoints."b".pro=1/minute
                rate-limit.endpoints."POST\\ /c".pro=2/minute;20/day
                rate-limit.endpoints."POST /d".pro=2/minute
                rate-limit.trusted-proxies=10.0.0.0/99
                rate-limit.identity-proxies=proxy.internal
                rate-limit.memory.max-size=0
                rate-limit.redis.key-prefix={app}
                rate-limit.api-keys.me.sha256=my-secret-key
                rate-limit.api-keys.me.user=me
                """);
        var environment = new HashMap<>(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_DEFAULT", "10 per minute",
                "SMALLRYE_CONFIG_LOCATIONS", file.toUri().toString(), "UPSTREAM_URL", "app:8000",
                "MP_JWT_VERIFY_PUBLICKEY_LOCATION",
                "/no/such/key.pem"));
        var log = Instance.startExpectingFailure(environment);
        assertThat(log).contains("rate-limit.default=10 per minute: ").contains("COUNT/WINDOW")
                .contains("rate-limit.endpoints.\"/a\".free=often: ").contains("rate-limit.endpoints.\"b\".pro=1/minute: ")
                .contains("rate-limit.trusted-proxies=10.0.0.0/99: ").contains("rate-limit.identity-proxies=proxy.internal: ")
                .contains("rate-limit.memory.max-size=0: 1M or more")
                .contains("rate-limit.redis.key-prefix={app}: must not contain braces")
                .contains("rate-limit.api-keys.me.sha256=(not shown): ")
                .contains("UPSTREAM_URL=(not shown): ").contains("rate-limit.endpoints.\"POST=")
                .contains("mp.jwt.verify.publickey.location=/no/such/key.pem: ").doesNotContain("my-secret-key")
                .doesNotContain("/c")
                .doesNotContain("\tat ");
    }
}
