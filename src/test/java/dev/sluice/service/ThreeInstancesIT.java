package dev.sluice.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import dev.sluice.testing.ConcurrentRequests;
import dev.sluice.testing.ConcurrentRequests.Outcome;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.InstanceGroup;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;

/** Three instances of the packaged program that share one Redis enforce one limit. */
@Isolated("a Redis timeout of one of the instances would fall back to its memory")
class ThreeInstancesIT {

    private static final int REQUESTS = 2_000;
    private static final int ROUNDS = 20;

    private static final RedisTestServer REDIS = RedisTestServer.start();
    private static final EchoUpstream UPSTREAM = new EchoUpstream();
    private static InstanceGroup instances;
    private static ConcurrentRequests requests;

    @BeforeAll
    static void start() {
        instances = InstanceGroup.with(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(REDIS.port()),
                "RATE_LIMIT_ADMIN_TOKEN", "admin", "UPSTREAM_URL", "http://127.0.0.1:" + UPSTREAM.listen(0)));
        requests = new ConcurrentRequests(instances.instances());
    }

    @AfterAll
    static void stop() {
        requests.close();
        instances.close();
        UPSTREAM.stop();
        REDIS.close();
    }

    private static Outcome check(String body) throws InterruptedException {
        return requests.send(REQUESTS, HttpMethod.POST, "/v1/check", Map.of("Content-Type", "application/json"), body);
    }

    private static HttpTestClient http(int instance) {
        return new HttpTestClient(instances.instances().get(instance).port());
    }

    @Test
    void twoThousandConcurrentRequestsAdmitExactlyTheLimit() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            var body = new JsonObject().put("identifier", "round-" + round).put("resource", "r").put("limit", 700)
                    .put("window_seconds", 3600).encode();
            assertThat(check(body)).as("round %d", round).isEqualTo(new Outcome(700, REQUESTS - 700));
        }
    }

    @Test
    void severalRatesAreAllOrNothingUnderConcurrency() throws InterruptedException {
        var body = new JsonObject().put("identifier", "several").put("resource", "r").put("rate", "600/hour;500/day").encode();
        assertThat(check(body)).isEqualTo(new Outcome(500, REQUESTS - 500));
        var http = http(0);
        for (var window : List.of("3600", "86400")) {
            var usage = http.get("/v1/usage?identifier=several&resource=r&window_seconds=" + window, "Authorization",
                    "Bearer admin");
            assertThat(HttpTestClient.json(usage).getLong("current")).as(window).isEqualTo(500);
        }
    }

    @Test
    void gatewaysShareTheCallersWindow() throws InterruptedException {
        var http = http(0);
        http.send("DELETE", "/v1/limits?identifier=ip:127.0.0.1", null, "Authorization", "Bearer admin");
        assertThat(requests.send(REQUESTS, HttpMethod.GET, "/api/v1/campaigns", Map.of(), null))
                .isEqualTo(new Outcome(10, REQUESTS - 10));
    }

    @Test
    void resetReachesAllInstances() {
        var first = http(0);
        var last = http(2);
        var check = "{\"identifier\":\"reset\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":3600}";
        assertThat(first.post("/v1/check", check).statusCode()).isEqualTo(200);
        assertThat(last.post("/v1/check", check).statusCode()).isEqualTo(429);
        first.send("DELETE", "/v1/limits?identifier=reset", null, "Authorization", "Bearer admin");
        assertThat(last.post("/v1/check", check).statusCode()).isEqualTo(200);
    }
}
