package dev.sluice.proxies;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;

/** Tests of an example in {@code examples/proxies}: the real proxy in front of an API that echoes, with the packaged Sluice. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ProxyExample {

    private final String example;
    private final String programName;
    private EchoUpstream api;
    private int apiPort;
    private Path program;
    private RedisTestServer redis;
    private Instance sluice;
    private ProxyProgram proxy;
    HttpTestClient http;

    ProxyExample(String example, String programName) {
        this.example = example;
        this.programName = programName;
    }

    /** Returns the command of the example's README. */
    abstract List<String> command(Path program);

    /** Returns the status of a request while Sluice does not run. */
    abstract int statusWithoutSluice();

    /** Returns further settings of Sluice, which replace others. */
    Map<String, String> settings() {
        return Map.of();
    }

    @BeforeAll
    void startApi() {
        program = ProxyProgram.require(programName);
        api = new EchoUpstream();
        apiPort = api.listen(0);
    }

    @AfterAll
    void stopApi() {
        if (api != null) {
            api.stop();
        }
    }

    @BeforeEach
    void start(@TempDir Path folder) throws IOException {
        var rules = Files.writeString(folder.resolve("rules-of-sluice.yaml"),
                "endpoints:\n  DELETE /things: 1/minute\n  /shut: blocked\n");
        redis = RedisTestServer.start();
        var settings = new HashMap<>(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                "RATE_LIMIT_TRUSTED_PROXIES", "127.0.0.1", "RATE_LIMIT_FORWARDED_HEADER", "x-forwarded-for",
                "RATE_LIMIT_API_KEYS_BOB_SHA256", Sha256.hex("key-of-bob"), "RATE_LIMIT_API_KEYS_BOB_USER", "bob",
                "RATE_LIMIT_API_KEYS_BOB_TIER", "pro", "RATE_LIMIT_ADMIN_TOKEN", "admin-secret", "RATE_LIMIT_TIMEOUT", "30s",
                "RATE_LIMIT_ACCESS_LOG", "true"));
        settings.put("RATE_LIMIT_FILE", rules.toString());
        int grpc = FreePorts.next();
        settings.put("RATE_LIMIT_GRPC_PORT", Integer.toString(grpc));
        settings.putAll(settings());
        sluice = Instance.start(settings);
        proxy = ProxyProgram.start(example, folder, FreePorts.next(), sluice.port(), grpc, apiPort, command(program));
        http = new HttpTestClient(proxy.port());
    }

    @AfterEach
    void stop() {
        if (proxy != null) {
            proxy.close();
        }
        if (sluice != null) {
            sluice.close();
        }
        if (redis != null) {
            redis.close();
        }
    }

    int port() {
        return proxy.port();
    }

    String windows(String identifier) {
        return new HttpTestClient(sluice.port()).get("/v1/limits?identifier=" + identifier, "Authorization",
                "Bearer admin-secret").body();
    }

    @Test
    void limitIsExactAndRefusalHasHeadersAndBody() throws Exception {
        var statuses = Collections.synchronizedList(new ArrayList<Integer>());
        var threads = IntStream.range(0, 8).mapToObj(thread -> new Thread(() -> {
            for (int i = 0; i < 5; i++) {
                statuses.add(http.get("/api/v1/campaigns?i=" + i).statusCode());
            }
        })).toList();
        threads.forEach(Thread::start);
        for (var thread : threads) {
            thread.join();
        }
        assertThat(statuses).hasSize(40).containsOnly(200, 429);
        assertThat(statuses.stream().filter(status -> status == 200)).hasSize(10);

        var denied = http.get("/api/v1/campaigns");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.headers().allValues("X-RateLimit-Limit")).containsExactly("10");
        assertThat(header(denied, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(Integer.parseInt(header(denied, "Retry-After"))).isBetween(1, 60);
        assertThat(denied.headers().allValues("RateLimit")).singleElement().asString().startsWith("\"api:/campaigns\";r=0;t=");
        assertThat(denied.headers().allValues("RateLimit-Policy")).containsExactly("\"api:/campaigns\";q=10;w=60");
        assertThat(header(denied, "Content-Type")).isEqualTo("application/json");
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(denied).getJsonObject("details").getLong("limit")).isEqualTo(10);
        assertThat(error(denied).getJsonObject("details").getLong("retry_after"))
                .isEqualTo(Long.parseLong(header(denied, "Retry-After")));
    }

    @Test
    void allowedRequestReachesTheApi() {
        var answer = http.send("POST", "/api/v1/users?a=b%20c", "the body", "X-API-Key", "key-of-bob", "X-User-Id", "alice");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(header(answer, "X-RateLimit-Remaining")).contains("49");
        assertThat(json(answer).getString("method")).isEqualTo("POST");
        assertThat(json(answer).getString("uri")).isEqualTo("/api/v1/users?a=b%20c");
        assertThat(json(answer).getString("body")).isEqualTo("the body");
        assertThat(EchoUpstream.receivedHeader(answer, "x-user-id")).isEqualTo("bob");
        assertThat(EchoUpstream.receivedHeader(answer, "x-user-tier")).isEqualTo("pro");
        assertThat(windows("user:bob")).contains("\"api:/users\":1");
    }

    @Test
    void forgedHeadersAreIgnored() {
        var answer = http.get("/api/v1/campaigns", "X-User-Id", "alice", "X-User-Tier", "enterprise", "X-Forwarded-For",
                "198.51.100.7", "Forwarded", "for=198.51.100.7", "X-Forwarded-Uri", "/users", "X-Forwarded-Method", "POST",
                "X-Original-URI", "/users", "X-Original-URL", "http://host/users", "X-Original-Method", "POST");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(EchoUpstream.receivedHeader(answer, "x-user-id")).isNull();
        assertThat(EchoUpstream.receivedHeader(answer, "x-user-tier")).isNull();
        assertThat(windows("ip:127.0.0.1")).contains("\"api:/campaigns\":1").doesNotContain("/users");
        assertThat(windows("user:alice")).doesNotContain("api:");
        assertThat(windows("ip:198.51.100.7")).doesNotContain("api:");
    }

    @Test
    void overriddenMethodsCount() {
        for (var field : List.of("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method")) {
            http.send("POST", "/things", "", field, "DELETE");
        }
        assertThat(http.send("POST", "/things", "", "X-HTTP-Method-Override", "DELETE").statusCode()).isEqualTo(429);
        assertThat(windows("ip:127.0.0.1")).contains("\"api:DELETE /things\":1");
    }

    @Test
    void blockedIs429WithValidJson() {
        var denied = http.get("/shut");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getJsonObject("details").getValue("retry_after")).isNull();
    }

    @Test
    void spellingsOfIdentityHeadersDoNotReachTheApi() {
        var answer = http.get("/api/v1/users", "X_User_Id", "alice", "x_user-tier", "gold");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body().toLowerCase(Locale.ROOT)).doesNotContain("alice", "gold");
    }

    @Test
    void withoutSluiceTheProxyDoesWhatTheDocsSay() {
        sluice.close();
        sluice = null;
        assertThat(http.get("/api/v1/users").statusCode()).isEqualTo(statusWithoutSluice());
    }

    @Test
    void unknownKeyIs401() {
        var rejected = http.get("/api/v1/campaigns", "X-API-Key", "wrong");
        assertThat(rejected.statusCode()).isEqualTo(401);
        assertThat(header(rejected, "WWW-Authenticate")).isEqualTo("Bearer");
        assertThat(windows("ip:127.0.0.1")).as(() -> sluice.log()).contains("\"api:default\":1");
    }

    @Test
    void withoutRedisTheFallbackIsAnnounced() {
        assertThat(header(http.get("/api/v1/campaigns"), "X-RateLimit-Mode")).isNull();
        redis.close();
        redis = null;
        Polling.await().until(() -> {
            var answer = http.get("/api/v1/users", "X-API-Key", "key-of-bob");
            assertThat(answer.statusCode()).isLessThan(500);
            return "local".equals(header(answer, "X-RateLimit-Mode"));
        });
        // The only instance may grant the whole limit.
        int allowed = 0;
        for (int i = 0; i < 20; i++) {
            var answer = http.get("/api/v1/campaigns");
            assertThat(answer.statusCode()).isIn(200, 429);
            assertThat(header(answer, "X-RateLimit-Mode")).isEqualTo("local");
            allowed += answer.statusCode() == 200 ? 1 : 0;
        }
        assertThat(allowed).isBetween(1, 10);
    }
}
