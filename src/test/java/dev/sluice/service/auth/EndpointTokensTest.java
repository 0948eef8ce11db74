package dev.sluice.service.auth;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TokensProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

@QuarkusTest
@TestProfile(TokensProfile.class)
@WithTestResource(RedisTestResource.class)
class EndpointTokensTest extends HttpTestBase {

    private static final String CHECK = "{\"identifier\":\"user:alice\",\"resource\":\"r\",\"rate\":\"3/minute\"}";
    private static final String ADMIN = "Bearer admin-secret";

    @Test
    void checkRequiresTheApiToken() {
        var without = http.post("/v1/check", CHECK);
        assertThat(without.statusCode()).isEqualTo(401);
        assertThat(header(without, "WWW-Authenticate")).startsWith("Bearer");
        assertThat(http.post("/v1/check", CHECK, "Authorization", "Bearer api-secret").statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", CHECK, "Authorization", "bearer api-secret").statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", CHECK, "Authorization", ADMIN).statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", CHECK, "Authorization", ADMIN).statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @CsvSource({"Authorization,Bearer wrong", "Authorization,Basic YTpi", "Authorization,Bearer", "X-API-Key,wrong",
            "Authorization,Bearer admin-secre", "Authorization,Bearer admin-secretx"})
    void wrongTokensAreCountedAgainstTheAddress(String name, String value) {
        for (int i = 0; i < 10; i++) {
            var response = http.post("/v1/check", CHECK, name, value);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(error(response).getString("code")).isEqualTo("RATE_4011");
            assertThat(response.body()).doesNotContain("wrong");
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsEntry("api:default", 10L);
        assertThat(http.post("/v1/check", CHECK, name, value).statusCode()).isEqualTo(429);
        assertThat(http.get("/v1/limits?identifier=a", name, value).statusCode()).isEqualTo(429);
        assertThat(http.get("/v1/limits?identifier=a", "Authorization", ADMIN).statusCode()).isEqualTo(200);
    }

    @Test
    void apiTokenIsNotAcceptedByAdminEndpoints() {
        assertThat(http.get("/v1/limits?identifier=a").statusCode()).isEqualTo(403);
        assertThat(http.get("/v1/limits?identifier=a", "Authorization", "Bearer api-secret").statusCode()).isEqualTo(403);
    }

    @Test
    void ambiguousQueriesAreRejected() {
        for (var query : List.of("identifier=%ff", "identifier=a&identifier=b")) {
            for (var method : List.of("GET", "DELETE")) {
                var response = http.send(method, "/v1/limits?" + query, null, "Authorization", ADMIN);
                assertThat(response.statusCode()).as(query).isEqualTo(400);
                assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo("identifier");
            }
        }
        var digits = http.get("/v1/usage?identifier=a&resource=b&window_seconds=%D9%A6", "Authorization", ADMIN);
        assertThat(error(digits).getJsonObject("details").getString("field")).isEqualTo("window_seconds");
    }

    @Test
    void usageIsReportedWithoutChangingIt() {
        http.post("/v1/check", CHECK, "Authorization", ADMIN);
        for (int i = 0; i < 3; i++) {
            var usage = http.get("/v1/usage?identifier=user:alice&resource=r&window_seconds=60", "Authorization", ADMIN);
            assertThat(usage.statusCode()).isEqualTo(200);
            var body = json(usage);
            assertThat(body.fieldNames()).containsExactly("identifier", "resource", "current", "window_start", "window_end");
            assertThat(body.getLong("current")).isEqualTo(1);
            assertThat(body.getLong("window_end") - body.getLong("window_start")).isEqualTo(60);
        }
        var nothing = http.get("/v1/usage?identifier=nobody&resource=r&window_seconds=60", "Authorization", ADMIN);
        assertThat(json(nothing).getLong("current")).isZero();
    }

    @Test
    void denialDoesNotChangeUsage() {
        for (int i = 0; i < 3; i++) {
            http.post("/v1/check", CHECK, "Authorization", ADMIN);
        }
        var before = http.get("/v1/limits?identifier=user:alice", "Authorization", ADMIN).body();
        for (int i = 0; i < 5; i++) {
            assertThat(http.post("/v1/check", CHECK, "Authorization", ADMIN).statusCode()).isEqualTo(429);
        }
        assertThat(http.get("/v1/limits?identifier=user:alice", "Authorization", ADMIN).body()).isEqualTo(before);
    }

    @Test
    void limitsListAndReset() {
        http.post("/v1/check", CHECK, "Authorization", ADMIN);
        http.post("/v1/check", "{\"identifier\":\"user:alice\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}",
                "Authorization", ADMIN);
        http.post("/v1/check", "{\"identifier\":\"other\",\"resource\":\"r\",\"tier\":\"pro\"}", "Authorization", ADMIN);
        assertThat(json(http.get("/v1/limits?identifier=user:alice", "Authorization", ADMIN)).encode())
                .isEqualTo("{\"identifier\":\"user:alice\",\"limits\":{\"api:/campaigns\":1,\"r\":1}}");
        var one = http.send("DELETE", "/v1/limits?identifier=user:alice&resource=r", null, "Authorization", ADMIN);
        assertThat(one.statusCode()).isEqualTo(204);
        assertThat(admin.limits("user:alice").await().indefinitely()).containsOnlyKeys("api:/campaigns");
        assertThat(http.send("DELETE", "/v1/limits?identifier=user:alice", null, "Authorization", ADMIN).statusCode())
                .isEqualTo(204);
        assertThat(admin.limits("user:alice").await().indefinitely()).isEmpty();
        assertThat(admin.limits("other").await().indefinitely()).hasSize(1);
        assertThat(http.send("DELETE", "/v1/limits?all=true", null, "Authorization", ADMIN).statusCode()).isEqualTo(204);
        assertThat(admin.limits("other").await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"GET,/v1/usage?resource=r&window_seconds=60,identifier",
            "GET,/v1/usage?identifier=a&window_seconds=60,resource",
            "GET,/v1/usage?identifier=a&resource=r,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=x,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=0,window_seconds",
            "GET,/v1/usage?identifier=a&resource=r&window_seconds=99999999999999999999,window_seconds",
            "GET,/v1/limits,identifier", "GET,/v1/limits?identifier=,identifier", "DELETE,/v1/limits,identifier",
            "DELETE,/v1/limits?resource=r,identifier", "DELETE,/v1/limits?all=yes,all",
            "DELETE,/v1/limits?all=true&identifier=a,all", "DELETE,/v1/limits?identifier=a&resource=,resource"})
    void badQueriesNameTheirField(String method, String path, String field) {
        var response = http.send(method, path, null, "Authorization", ADMIN);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }
}
