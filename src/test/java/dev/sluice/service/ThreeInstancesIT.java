package dev.sluice.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;

/** Three instances of the packaged program that share one Redis enforce one limit. */
class ThreeInstancesIT {

    private static final int REQUESTS = 2_000;
    private static final int ROUNDS = 20;

    private static final RedisTestServer REDIS = RedisTestServer.start();
    private static final EchoUpstream UPSTREAM = new EchoUpstream();
    private static final Vertx VERTX = Vertx.vertx();
    private static final HttpClient CLIENT = VERTX
            .createHttpClient(new HttpClientOptions().setMaxPoolSize(64).setMaxWaitQueueSize(-1));
    private static final List<Instance> INSTANCES = new ArrayList<>();

    @BeforeAll
    static void start() {
        int upstream = UPSTREAM.listen(0);
        for (int i = 0; i < 3; i++) {
            INSTANCES.add(Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(REDIS.port()),
                    "RATE_LIMIT_ADMIN_TOKEN", "admin", "UPSTREAM_URL",
                    "http://127.0.0.1:" + upstream)));
        }
    }

    @AfterAll
    static void stop() {
        INSTANCES.forEach(Instance::close);
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        UPSTREAM.stop();
        REDIS.close();
    }

    /** Sends the requests to all instances at once; returns the number of responses with each of two statuses. */
    private static int[] send(HttpMethod method, String path, String body) throws InterruptedException {
        var allowed = new AtomicInteger();
        var denied = new AtomicInteger();
        var done = new CountDownLatch(REQUESTS);
        for (int i = 0; i < REQUESTS; i++) {
            int port = INSTANCES.get(i % INSTANCES.size()).port();
            CLIENT.request(method, port, "127.0.0.1", path)
                    .compose(request -> body == null ? request.send() : post(request, body))
                    .compose(response -> response.body().map(read -> response.statusCode())).onComplete(status -> {
                        if (status.succeeded() && status.result() == 200) {
                            allowed.incrementAndGet();
                        } else if (status.succeeded() && status.result() == 429) {
                            denied.incrementAndGet();
                        }
                        done.countDown();
                    });
        }
        assertThat(done.await(120, TimeUnit.SECONDS)).isTrue();
        return new int[]{allowed.get(), denied.get()};
    }

    private static io.vertx.core.Future<io.vertx.core.http.HttpClientResponse> post(HttpClientRequest request, String body) {
        return request.putHeader("Content-Type", "application/json").send(body);
    }

    @Test
    void twoThousandConcurrentRequestsAdmitExactlyTheLimit() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            var body = new JsonObject().put("identifier", "round-" + round).put("resource", "r").put("limit", 700)
                    .put("window_seconds", 3600).encode();
            assertThat(send(HttpMethod.POST, "/v1/check", body)).as("round %d", round).containsExactly(700, REQUESTS - 700);
        }
    }

    @Test
    void severalRatesAreAllOrNothingUnderConcurrency() throws InterruptedException {
        var body = new JsonObject().put("identifier", "several").put("resource", "r").put("rate", "600/hour;500/day").encode();
        assertThat(send(HttpMethod.POST, "/v1/check", body)).containsExactly(500, REQUESTS - 500);
        var http = new HttpTestClient(INSTANCES.get(0).port());
        for (var window : List.of("3600", "86400")) {
            var usage = http.get("/v1/usage?identifier=several&resource=r&window_seconds=" + window, "Authorization",
                    "Bearer admin");
            assertThat(HttpTestClient.json(usage).getLong("current")).as(window).isEqualTo(500);
        }
    }

    @Test
    void gatewaysShareTheCallersWindow() throws InterruptedException {
        var http = new HttpTestClient(INSTANCES.get(0).port());
        http.send("DELETE", "/v1/limits?identifier=ip:127.0.0.1", null, "Authorization", "Bearer admin");
        assertThat(send(HttpMethod.GET, "/api/v1/campaigns", null)).containsExactly(10, REQUESTS - 10);
    }

    @Test
    void resetReachesAllInstances() {
        var first = new HttpTestClient(INSTANCES.get(0).port());
        var last = new HttpTestClient(INSTANCES.get(2).port());
        var check = "{\"identifier\":\"reset\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":3600}";
        assertThat(first.post("/v1/check", check).statusCode()).isEqualTo(200);
        assertThat(last.post("/v1/check", check).statusCode()).isEqualTo(429);
        first.send("DELETE", "/v1/limits?identifier=reset", null, "Authorization", "Bearer admin");
        assertThat(last.post("/v1/check", check).statusCode()).isEqualTo(200);
    }
}
