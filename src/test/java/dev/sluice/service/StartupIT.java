package dev.sluice.service;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.RedisNode;

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
    void sentinelsHaveCredentialsOfTheirOwn() {
        try (var master = RedisNode.server();
                var sentinel = RedisNode.sentinel("sentinel monitor main 127.0.0.1 %d 1\nsentinel auth-pass main data-secret\n"
                        .formatted(master.port()))) {
            sentinel.command("ACL", "SETUSER", "watcher", "on", ">se${x}t", "~*", "+@all");
            sentinel.command("ACL", "SETUSER", "default", "off");
            master.command("CONFIG", "SET", "requirepass", "data-secret");
            try (var sluice = Instance.start(Map.of("REDIS_CLIENT_TYPE", "sentinel", "REDIS_MASTER_NAME", "main", "REDIS_HOSTS",
                    "redis://127.0.0.1:" + sentinel.port() + "/1", "REDIS_PASSWORD", "data-secret", "REDIS_SENTINEL_USERNAME",
                    "watcher",
                    "REDIS_SENTINEL_PASSWORD", "se${x}t", "RATE_LIMIT_TIMEOUT", "5s"))) {
                var response = new HttpTestClient(sluice.port()).post("/v1/check", CHECK);
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(header(response, "X-RateLimit-Mode")).as(sluice.log()).isNull();
            }
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
    void allMistakesAreReportedTogetherWithTheirVariables() {
        var log = Instance.startExpectingFailure(Map.ofEntries(Map.entry("RATE_LIMIT_ENABLED", "yess"),
                Map.entry("REDIS_TLS", "ja"),
                Map.entry("RATE_LIMIT_TIMEOUT", "100"), Map.entry("RATE_LIMIT_INSTANCES", "1.5"),
                Map.entry("RATE_LIMIT_FALLBACK", "opn"), Map.entry("RATE_LIMIT_UPSTREAM_CONNECT_TIMEOUT", "0s"),
                Map.entry("RATE_LIMIT_TRACING", "ture"), Map.entry("RATE_LIMIT_DEFAULT", "often"),
                Map.entry("RATE_LIMIT_DEFAULTS_PRO", "1/minute"), Map.entry("RATE_LIMIT_TIERS", "free,gold"),
                Map.entry("RATE_LIMIT_API_KEYS_A_SHA256", "0".repeat(64)), Map.entry("RATE_LIMIT_API_KEYS_B_USER", "b"),
                Map.entry("RATE_LIMIT_API_KEYS_B_TIER", "glod"),
                Map.entry("RATE_LIMIT_LLM_OPENAI_BASEURL", "http://127.0.0.1:1"),
                Map.entry("RATE_LIMIT_LLM_OPENAI_REQUESTS_PLATINUM", "1/minute"), Map.entry("RATE_LIMIT_DEFUALT", "5/minute"),
                Map.entry("REDIS_HOSTNAME", "redis")));
        assertThat(log.lines().filter(line -> line.contains("Sluice does not start"))).hasSize(1);
        assertThat(log)
                .contains("RATE_LIMIT_ENABLED: rate-limit.enabled=yess: true or false")
                .contains("REDIS_TLS: rate-limit.redis.tls=ja: true or false")
                .contains("RATE_LIMIT_TIMEOUT: rate-limit.timeout=100: give a unit, such as 100ms")
                .contains("RATE_LIMIT_INSTANCES: rate-limit.instances=1.5: a whole number")
                .contains("RATE_LIMIT_FALLBACK: rate-limit.fallback=opn: local, open or closed; did you mean open?")
                .contains("RATE_LIMIT_UPSTREAM_CONNECT_TIMEOUT: rate-limit.upstream.connect-timeout=0s: a duration from 1ms")
                .contains("RATE_LIMIT_TRACING: rate-limit.tracing=ture: true or false, in lower case")
                .contains("RATE_LIMIT_DEFAULT: rate-limit.default=often: ")
                .contains("RATE_LIMIT_DEFAULTS_PRO: rate-limit.defaults.pro=1/minute: an unknown tier; allowed: free, gold")
                .contains("rate-limit.api-keys.a.user=: missing").contains("rate-limit.api-keys.b.sha256=: missing")
                .contains("RATE_LIMIT_API_KEYS_B_TIER: rate-limit.api-keys.b.tier=glod: an unknown tier; allowed: free, gold;"
                        + " did you mean gold?")
                .contains("RATE_LIMIT_LLM_OPENAI_BASEURL=(not shown): Sluice has no such setting; did you mean"
                        + " RATE_LIMIT_LLM_OPENAI_BASE_URL?")
                .contains("rate-limit.llm.openai.requests.platinum=1/minute: an unknown tier")
                .contains("Unknown setting, ignored: RATE_LIMIT_DEFUALT; did you mean RATE_LIMIT_DEFAULT?")
                .contains("Unknown setting, ignored: REDIS_HOSTNAME; did you mean REDIS_HOST?")
                .doesNotContain("SRCFG").doesNotContain("\tat ");
    }

    @Test
    void plainRedisUrlWithTlsIsRefused() {
        assertThat(Instance.startExpectingFailure(Map.of("REDIS_TLS", "true", "REDIS_HOSTS", "redis://:secret@127.0.0.1:1")))
                .contains("REDIS_HOSTS=(not shown): rediss:// instead of redis://, because REDIS_TLS=true")
                .doesNotContain("secret");
    }

    @Test
    void checkOfTheConfigurationDoesNotStart(@TempDir Path folder) throws IOException, InterruptedException {
        var valid = Files.writeString(folder.resolve("rules.yaml"), "endpoints: {/a: {free: 1/minute}}\n");
        var invalid = Files.writeString(folder.resolve("bad.yaml"), "default: 5/minute\nendpoints: {/a: {fre: 1/minute}}\n");
        var result = Instance.runCommand(Map.of("REDIS_PORT", unusedPort()), "check", valid.toString());
        assertThat(result.output()).contains("The configuration is valid");
        assertThat(result.exitCode()).isZero();

        result = Instance.runCommand(Map.of("RATE_LIMIT_ENABLED", "yess"), "check", invalid.toString());
        assertThat(result.output()).contains("bad.yaml:2: endpoints.\"/a\".fre=1/minute: an unknown tier")
                .contains("did you mean free?").contains("RATE_LIMIT_ENABLED: rate-limit.enabled=yess: true or false")
                .doesNotContain("Listening on").doesNotContain("\tat ");
        assertThat(result.exitCode()).isEqualTo(1);

        result = Instance.runCommand(Map.of(), "check", folder.resolve("missing.yaml").toString());
        assertThat(result.output()).contains("missing.yaml");
        assertThat(result.exitCode()).isEqualTo(1);
    }

    @Test
    void commandsThatDoNotStart() throws IOException, InterruptedException {
        var help = Instance.runCommand(Map.of(), "--help");
        assertThat(help.output()).startsWith("Sluice").contains("check [file]");
        assertThat(help.exitCode()).isZero();
        var version = Instance.runCommand(Map.of(), "--version");
        assertThat(version.output()).matches("sluice \\d+\\.\\d+\\.\\d+\\S* \\(commit \\S+\\)\\s+");
        assertThat(version.exitCode()).isZero();
        var unknown = Instance.runCommand(Map.of(), "-Drate-limit.enabled=false");
        assertThat(unknown.output()).contains("system properties must be in front of -jar");
        assertThat(unknown.exitCode()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"QUARKUS_HTTP_PORT", "QUARKUS_MANAGEMENT_PORT"})
    void portInUseIsOneLine(String variable) throws IOException, InterruptedException {
        try (var socket = new ServerSocket(0)) {
            var environment = new HashMap<>(
                    Map.of("REDIS_ENABLED", "false", "QUARKUS_HTTP_PORT", unusedPort(), "QUARKUS_MANAGEMENT_PORT",
                            unusedPort()));
            environment.put(variable, Integer.toString(socket.getLocalPort()));
            var result = Instance.runCommand(environment);
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.output().lines().filter(line -> line.contains("Sluice does not start"))).singleElement()
                    .asString()
                    .contains(variable);
            assertThat(result.output()).doesNotContain("\tat ").doesNotContain("Exception");
        }
    }

    @ParameterizedTest
    @CsvSource({"QUARKUS_HTTP_PORT, abc, quarkus.http.port=abc: Expected an integer",
            "QUARKUS_HTTP_PORT, 80800, '=80800: 1 to 65535'"})
    void invalidSettingOfQuarkusIsOneLine(String variable, String value, String message)
            throws IOException, InterruptedException {
        var result = Instance.runCommand(Map.of("REDIS_ENABLED", "false", variable, value), "check");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).contains(message).doesNotContain("\tat ");
    }

    @Test
    void unreadableCertificateIsOneLine() throws IOException, InterruptedException {
        var result = Instance.runCommand(Map.of("REDIS_ENABLED", "false", "QUARKUS_HTTP_PORT", unusedPort(),
                "QUARKUS_MANAGEMENT_PORT", unusedPort(), "QUARKUS_TLS_TRUST_STORE_PEM_CERTS", "/no/such/ca.pem"));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).contains("Invalid configuration; Sluice does not start").contains("/no/such/ca.pem")
                .doesNotContain("\tat ");
    }

    @Test
    void summarySaysWhatRunsAndHowToTryIt() throws IOException, InterruptedException {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "UPSTREAM_URL", ""))) {
            assertThat(sluice.log()).containsOnlyOnce("Sluice: limiting; windows in memory (REDIS_ENABLED=false); 4 rules")
                    .containsOnlyOnce("no upstream (UPSTREAM_URL); no LLM provider")
                    .containsOnlyOnce("health http://localhost:" + sluice.managementPort() + "/q/health");
            var command = sluice.log().lines().filter(line -> line.contains("Try it: ")).findFirst().orElseThrow()
                    .replaceFirst(".*Try it: (.*?); health .*", "$1");
            var remaining = new ArrayList<String>();
            for (int i = 0; i < 2; i++) {
                var curl = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start();
                new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                        .filter(line -> line.regionMatches(true, 0, "X-RateLimit-Remaining:", 0, 22))
                        .forEach(line -> remaining.add(line.substring(22).strip()));
            }
            assertThat(remaining).containsExactly("4", "3");
        }
    }

    @Test
    void rulesWithoutEffectAreWarnings(@TempDir Path folder) throws IOException {
        var rules = Files.writeString(folder.resolve("rules.yaml"),
                "exempt: [/static]\nendpoints: {/static/a: 1/minute, /v1/check: 1/minute, /users: none}\n");
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_FILE", rules.toString()))) {
            assertThat(sluice.log())
                    .contains("Rule has no effect, because its path is exempt (rate-limit.exempt): endpoint=/static/a")
                    .contains("Rule has no effect, because its path is an endpoint of Sluice: endpoint=/v1/check")
                    .contains("5 rules, tiers free,pro,enterprise");
        }
    }

    @Test
    void builtInRulesAreSwitchedOff() {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_BUILT_IN_RULES", "false"))) {
            assertThat(sluice.log()).contains("0 rules, tiers free,pro,enterprise");
        }
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
    void variablesOverrideTheRecipesOfProviders() {
        var log = Instance.startExpectingFailure(Map.of("REDIS_ENABLED", "false", "SMALLRYE_CONFIG_LOCATIONS",
                Path.of("docs/providers.properties").toUri().toString(), "RATE_LIMIT_LLM_FIREWORKS_BASE_URL", "ftp://x",
                "RATE_LIMIT_LLM_MISTRAL_API_KEY", "key-of-mistral"));
        assertThat(log).contains("RATE_LIMIT_LLM_FIREWORKS_BASE_URL: ").doesNotContain("RATE_LIMIT_LLM_MISTRAL_API_KEY");
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
                rate-limit.llm.groq.type=openai
                rate-limit.llm.groq.prices=nosuch-list
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
                .contains("rate-limit.llm.groq.prices=nosuch-list: free, or a provider that has prices: anthropic, ")
                .contains("rate-limit.redis.key-prefix={app}: must not contain braces")
                .contains("rate-limit.api-keys.me.sha256=(not shown): ")
                .contains("UPSTREAM_URL=(not shown): ").contains("rate-limit.endpoints.\"POST=")
                .contains("mp.jwt.verify.publickey.location=/no/such/key.pem: ").doesNotContain("my-secret-key")
                .doesNotContain("/c")
                .doesNotContain("\tat ");
    }
}
