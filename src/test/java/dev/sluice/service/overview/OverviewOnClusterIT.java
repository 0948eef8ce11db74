package dev.sluice.service.overview;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** The endpoints that the console reads, of two instances on a Redis Cluster. */
class OverviewOnClusterIT {

    private static final String ADMIN = "admin-secret";

    private static RedisTestServer redis;
    private static Instance one;
    private static Instance other;

    @BeforeAll
    static void start() {
        redis = RedisTestServer.startCluster();
        one = instance();
        other = instance();
    }

    private static Instance instance() {
        return Instance.start(Map.of("REDIS_CLIENT_TYPE", "cluster", "REDIS_HOSTS", "redis://127.0.0.1:" + redis.port(),
                "RATE_LIMIT_ADMIN_TOKEN", ADMIN, "RATE_LIMIT_TIMEOUT", "10s"));
    }

    @AfterAll
    static void stop() {
        one.close();
        other.close();
        redis.close();
    }

    private static JsonObject send(Instance instance, String method, String path, String body) {
        var response = new HttpTestClient(instance.port()).send(method, path, body, "Authorization", "Bearer " + ADMIN);
        assertThat(response.statusCode()).as(response.body()).isIn(200, 201, 429);
        return new JsonObject(response.body());
    }

    private static JsonObject row(JsonArray rows, String field, String value) {
        return rows.stream().map(JsonObject.class::cast).filter(row -> value.equals(row.getString(field))).findFirst()
                .orElse(new JsonObject());
    }

    @Test
    void bothInstancesShowTheDecisionsAndWindowsOfBoth() {
        send(one, "PUT", "/v1/teams/shop", "{\"limits\":{\"api\":\"500/hour\"}}");
        send(one, "PUT", "/v1/users/alice", "{\"teams\":[\"shop\"],\"limits\":{\"api\":\"100/hour\"}}");
        for (int i = 0; i < 6; i++) {
            send(i % 2 == 0 ? one : other, "POST", "/v1/check",
                    "{\"identifier\":\"user:alice\",\"resource\":\"api:/auth/login\",\"tier\":\"free\"}");
            send(i % 2 == 0 ? one : other, "POST", "/v1/check",
                    "{\"identifier\":\"customer\",\"resource\":\"export\",\"rate\":\"4/hour;20/day\"}");
        }
        for (var instance : new Instance[]{one, other}) {
            Polling.await().untilAsserted(() -> {
                var traffic = send(instance, "GET", "/v1/traffic", null);
                assertThat(traffic.getString("scope")).isEqualTo("all_instances");
                var rule = row(traffic.getJsonArray("rules"), "rule", "api:/auth/login");
                assertThat(rule.getLong("allowed")).isEqualTo(5);
                assertThat(rule.getLong("denied")).isEqualTo(1);
                assertThat(row(traffic.getJsonArray("top_denied"), "identifier", "customer").getLong("decisions")).isEqualTo(2);

                var overview = send(instance, "GET", "/v1/overview", null);
                assertThat(overview.getJsonObject("store").getInteger("instances")).isEqualTo(2);
                assertThat(overview.getJsonObject("last_hour").getLong("denied")).isEqualTo(3);
                assertThat(overview.getJsonObject("llm").getJsonObject("month").getLong("calls")).isZero();

                assertThat(row(send(instance, "GET", "/v1/identifiers?contains=cust", null).getJsonArray("identifiers"),
                        "identifier", "customer")).isNotEqualTo(new JsonObject());

                var given = send(instance, "GET", "/v1/windows?identifier=customer", null);
                assertThat(given.getString("scope")).isEqualTo("all_instances");
                assertThat(given.getJsonArray("windows")).hasSize(2);
                assertThat(given.getJsonArray("windows").getJsonObject(0).getLong("used")).isEqualTo(4);
                assertThat(given.getJsonArray("windows").getJsonObject(0).getLong("limit")).isEqualTo(4);
            });
            var windows = send(instance, "GET", "/v1/windows?identifier=user:alice", null).getJsonArray("windows");
            assertThat(row(windows, "resource", "api:/auth/login").getLong("used")).isEqualTo(5);
            assertThat(row(windows, "resource", "api").getString("source")).isEqualTo("identity");
        }
    }
}
