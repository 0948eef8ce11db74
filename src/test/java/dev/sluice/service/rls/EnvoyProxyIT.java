package dev.sluice.service.rls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.proxies.EnvoyProcess;
import io.vertx.core.json.JsonObject;

/** Two real Envoys in front of three instances of the packaged program that share one Redis. */
@Isolated("a Redis timeout of one of the instances would fall back to its memory")
class EnvoyProxyIT {

    private static final String RULES = """
            domains:
              edge:
                - {key: path, rate: 40/hour}
                - {key: client, rate: 1000/hour}
            """;
    private static final String ACTIONS = "[{actions: [{request_headers: {header_name: ':path', descriptor_key: path}}]},"
            + " {actions: [{request_headers: {header_name: x-client, descriptor_key: client}}]}]";
    private static final int REQUESTS = 200;

    private static final List<AutoCloseable> OPEN = new ArrayList<>();
    private static final List<EnvoyProcess> ENVOYS = new ArrayList<>();
    private static final List<Instance> INSTANCES = new ArrayList<>();
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static RedisTestServer redis;

    @BeforeAll
    static void start() throws IOException {
        assumeTrue(EnvoyProcess.program().isPresent(), "Envoy is not installed: no program envoy on the path or in ENVOY");
        redis = RedisTestServer.start();
        OPEN.add(redis);
        var app = new EchoUpstream();
        int appPort = app.listen(0);
        OPEN.add(app::stop);
        var rules = Files.writeString(Files.createTempFile("sluice-rules", ".yaml"), RULES);
        var ports = new ArrayList<Integer>();
        for (int i = 0; i < 3; i++) {
            ports.add(FreePorts.next());
            INSTANCES.add(Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                    "RATE_LIMIT_GRPC_PORT", Integer.toString(ports.get(i)), "RATE_LIMIT_FILE", rules.toString(),
                    "RATE_LIMIT_TIMEOUT", "20s", "RATE_LIMIT_ADMIN_TOKEN", "admin")));
            OPEN.add(INSTANCES.get(i));
        }
        for (int i = 0; i < 2; i++) {
            ENVOYS.add(EnvoyProcess.start("edge", ACTIONS, appPort, ports));
            OPEN.add(ENVOYS.get(i));
        }
    }

    @AfterAll
    static void stop() throws Exception {
        for (int i = OPEN.size() - 1; i >= 0; i--) {
            OPEN.get(i).close();
        }
    }

    private static CompletableFuture<HttpResponse<String>> send(int envoy, String path, String client) {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ENVOYS.get(envoy).port() + path))
                .header("x-client", client).build();
        return HTTP.sendAsync(request, BodyHandlers.ofString());
    }

    private static List<HttpResponse<String>> sendAll(String path, String client) {
        var sent = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < REQUESTS; i++) {
            sent.add(send(i % 2, path, client));
        }
        return sent.stream().map(CompletableFuture::join).toList();
    }

    private static JsonObject limits(String identifier) {
        var response = new HttpTestClient(INSTANCES.get(0).port()).get("/v1/limits?identifier=" + identifier, "Authorization",
                "Bearer admin");
        return new JsonObject(response.body()).getJsonObject("limits");
    }

    @Test
    void limitIsExactAndRefusalsReachTheClient() {
        var responses = sendAll("/exact", "exact");
        assertThat(responses).extracting(HttpResponse::statusCode).containsOnly(200, 429);
        var denied = responses.stream().filter(response -> response.statusCode() == 429).toList();
        assertThat(denied).hasSize(REQUESTS - 40).allSatisfy(response -> {
            assertThat(response.headers().firstValue("retry-after")).isPresent();
            assertThat(response.headers().firstValue("x-ratelimit-limit")).contains("40");
            assertThat(response.headers().firstValue("content-type")).contains("application/json");
            assertThat(new JsonObject(response.body()).getJsonObject("error").getString("code")).isEqualTo("RATE_5001");
        });
        assertThat(responses).filteredOn(response -> response.statusCode() == 200)
                .allSatisfy(response -> assertThat(response.headers().firstValue("x-ratelimit-remaining")).isPresent());
        assertThat(limits("rls:edge:path%3D/exact").getInteger("path")).isEqualTo(40);
        assertThat(limits("rls:edge:client%3Dexact").getInteger("client")).as("counted for what another descriptor refused")
                .isEqualTo(40);
    }

    @Test
    void anOutageOfRedisIsNoErrorOfTheProxy() {
        assertThat(send(0, "/outage", "outage").join().statusCode()).isEqualTo(200);
        redis.close();
        await().atMost(Duration.ofSeconds(60)).until(() -> INSTANCES.stream()
                .allMatch(instance -> instance.log().contains("Redis is unavailable")));
        var responses = sendAll("/outage", "outage");
        assertThat(responses).extracting(HttpResponse::statusCode).containsOnly(200, 429);
        redis = RedisTestServer.start(redis.port());
        OPEN.set(0, redis);
        await().atMost(Duration.ofSeconds(60)).until(() -> INSTANCES.stream()
                .allMatch(instance -> instance.log().contains("Redis is available again")));
        assertThat(limits("rls:edge:path%3D/outage").getInteger("path")).isBetween(39, 42);
    }
}
