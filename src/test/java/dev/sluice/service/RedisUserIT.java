package dev.sluice.service;

import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.RedisUser;

/** The packaged program with the user of Redis in the documentation: nothing that it does is denied. */
@Execution(ExecutionMode.CONCURRENT)
class RedisUserIT {

    private static final String[] ADMIN = {"Authorization", "Bearer admin"};

    private static HttpResponse<String> call(HttpTestClient http, int status, String method, String path, String body) {
        var response = http.send(method, path, body, ADMIN);
        assertThat(response.statusCode()).as(path + ' ' + response.body()).isEqualTo(status);
        return response;
    }

    private static Instance start(RedisTestServer redis, String type) {
        var environment = new HashMap<>(Map.of("REDIS_HOSTS", RedisUser.create(redis), "REDIS_CLIENT_TYPE", type,
                "RATE_LIMIT_ADMIN_TOKEN", "admin", "RATE_LIMIT_LLM_OPENAI_BUDGET_FREE", "100/day"));
        environment.putAll(Map.of("RATE_LIMIT_ALERTS_URL", "http://127.0.0.1:" + FreePorts.next(), "RATE_LIMIT_ALERTS_SECRET",
                "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "RATE_LIMIT_ALERTS_INSECURE", "true",
                "RATE_LIMIT_TRUSTED_PROXIES", "127.0.0.1"));
        return Instance.start(environment);
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "cluster"})
    void nothingIsDenied(String type) {
        try (var redis = type.equals("cluster") ? RedisTestServer.startCluster() : RedisTestServer.start();
                var sluice = start(redis, type)) {
            var http = new HttpTestClient(sluice.port());
            await().until(() -> new HttpTestClient(sluice.managementPort()).get("/q/health/ready").body()
                    .contains("\"mode\": \"redis\""));
            useIdentities(http);
            useDecisions(http);
            useViews(http);
            await().untilAsserted(() -> assertThat(json(http.get("/v1/overview", ADMIN)).encode())
                    .as("all thresholds wait for their receiver").contains("\"alerts_due\":4"));
            assertThat(redis.send("ACL LOG")).as("commands that were denied").isEqualTo("*0");
        }
    }

    private static void useIdentities(HttpTestClient http) {
        call(http, 201, "PUT", "/v1/orgs/acme", "{\"limits\":{\"api\":\"1000/day\"}}");
        call(http, 201, "PUT", "/v1/teams/growth", "{\"org\":\"acme\",\"member_limits\":{\"api\":\"100/hour\"}}");
        call(http, 201, "PUT", "/v1/users/alice",
                "{\"teams\":[\"growth\"],\"limits\":{\"api\":\"2/day\",\"llm\":{\"budget\":\"1/calendar-month\"}}}");
        var key = json(call(http, 201, "POST", "/v1/keys", "{\"user\":\"alice\",\"team\":\"growth\"}"));
        for (int i = 0; i < 3; i++) {
            assertThat(http.get("/v1/forward-auth", "X-API-Key", key.getString("key"), "X-Forwarded-Uri", "/campaigns",
                    "X-Forwarded-Method", "GET").statusCode()).isEqualTo(i < 2 ? 200 : 429);
        }
        call(http, 200, "POST", "/v1/keys/" + key.getString("id") + "/rotate", "{\"grace_seconds\":60}");
        call(http, 200, "PATCH", "/v1/keys/" + key.getString("id"), "{\"disabled\":true}");
        for (var path : new String[]{"/v1/keys", "/v1/keys?user=alice&team=growth&disabled=true", "/v1/keys?org=acme",
                "/v1/users?prefix=a", "/v1/users?used=true", "/v1/teams", "/v1/orgs", "/v1/users/alice", "/v1/teams/growth",
                "/v1/orgs/acme", "/v1/audit", "/v1/export"}) {
            call(http, 200, "GET", path, null);
        }
        call(http, 200, "POST", "/v1/import", http.get("/v1/export", ADMIN).body());
        call(http, 204, "DELETE", "/v1/keys/" + key.getString("id"), null);
    }

    private static void useDecisions(HttpTestClient http) {
        call(http, 200, "POST", "/v1/check", "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"5/second;100000/day\"}");
        call(http, 200, "POST", "/v1/check",
                "{\"checks\":[{\"identifier\":\"a\",\"resource\":\"s\",\"rate\":\"9/hour\",\"cost\":2}]}");
        var admitted = json(call(http, 200, "POST", "/v1/llm/check", "{\"provider\":\"openai\",\"identifier\":\"user:alice\","
                + "\"team\":\"growth\",\"model\":\"gpt-4o\",\"tokens\":1000}"));
        call(http, 204, "POST", "/v1/llm/usage", "{\"provider\":\"openai\",\"identifier\":\"user:alice\",\"team\":\"growth\","
                + "\"model\":\"gpt-4o\",\"input_tokens\":10,\"output_tokens\":10,\"request_id\":\"r1\",\"reservation\":\""
                + admitted.getString("reservation") + "\"}");
        var lease = json(call(http, 201, "POST", "/v1/leases",
                "{\"identifier\":\"a\",\"resource\":\"jobs\",\"limit\":2,\"ttl_seconds\":60}")).getString("lease");
        call(http, 200, "PUT", "/v1/leases/" + lease, "{\"ttl_seconds\":60}");
        call(http, 204, "DELETE", "/v1/leases/" + lease, null);
        call(http, 200, "GET", "/v1/usage?identifier=a&resource=r&window_seconds=86400", null);
        call(http, 200, "GET", "/v1/limits?identifier=user:alice", null);
        call(http, 204, "DELETE", "/v1/limits?identifier=a&resource=r", null);
        call(http, 204, "DELETE", "/v1/limits?identifier=user:alice", null);
    }

    private static void useViews(HttpTestClient http) {
        for (var path : new String[]{"/v1/overview", "/v1/traffic", "/v1/windows?identifier=user:alice",
                "/v1/identifiers?contains=user:", "/v1/rules", "/v1/prices", "/v1/llm/usage?identifier=user:alice&hours=48",
                "/v1/llm/spend?group_by=user,team,model,hour"}) {
            call(http, 200, "GET", path, null);
        }
        call(http, 200, "POST", "/v1/rules/try", "{\"method\":\"GET\",\"path\":\"/campaigns\"}");
        call(http, 204, "DELETE", "/v1/limits?all=true", null);
    }
}
