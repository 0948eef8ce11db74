package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.header;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.engine.WindowReset;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.RuleDoor;
import dev.sluice.testing.app.SampleEndpoints;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Options of rules besides rates and keys: of the JAX-RS filter, and of requests that proxies describe. */
@QuarkusTest
@TestProfile(RichRulesProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class RuleOptionsTest extends HttpTestBase {

    private static final String UNI = SampleEndpoints.class.getName() + ".annotatedUni";

    @ConfigProperty(name = "quarkus.management.test-port")
    int managementPort;

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    private double decisions(String resource, String outcome) {
        return given().port(managementPort).get("/q/metrics").asString().lines()
                .filter(line -> line.startsWith("rate_limit_decisions_total{") && line.contains("resource=\"" + resource + '"')
                        && line.contains("outcome=\"" + outcome + '"'))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    @ParameterizedTest
    @EnumSource
    void shadowRuleDeniesNothing(RuleDoor door) {
        double allowed = decisions("api:/fails", "allowed");
        double denied = decisions("api:/fails", "denied");
        for (int i = 0; i < 4; i++) {
            var response = door.get(http, "/fails");
            assertThat(response.statusCode()).isNotEqualTo(429);
            assertThat(header(response, "X-RateLimit-Dry-Run")).isEqualTo(i < 2 ? null : "denied");
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("2");
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(Math.max(0, 1 - i)));
            assertThat(header(response, "Retry-After")).isNull();
        }
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/fails", 2L));
        assertThat(decisions("api:/fails", "allowed") - allowed).isEqualTo(2);
        assertThat(decisions("api:/fails", "denied") - denied).isEqualTo(2);
    }

    @Test
    void checkByTheRuleOfATierIsShadowToo() {
        var body = "{\"identifier\":\"program\",\"resource\":\"api:/fails\",\"tier\":\"free\",\"cost\":2}";
        for (int i = 0; i < 2; i++) {
            var response = http.post("/v1/check", body, "Content-Type", "application/json");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Dry-Run")).isEqualTo(i == 0 ? null : "denied");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void ruleIsNarrowedToMethods(RuleDoor door) {
        for (var method : List.of("GET", "DELETE", "get")) {
            assertThat(header(door.send(http, method, "/nested"), "RateLimit-Policy")).as(method)
                    .isEqualTo("\"api:/nested\";q=4;w=60");
        }
        assertThat(header(door.send(http, "POST", "/nested"), "RateLimit-Policy")).isEqualTo("\"api:default\";q=10;w=60");
        assertThat(header(door.send(http, "GET", "/nested"), "X-RateLimit-Remaining")).isEqualTo("0");
    }

    private String policyOf(RuleDoor door, String host) throws IOException {
        var lines = switch (door) {
            case DIRECT -> "GET /multi HTTP/1.1\r\nHost: " + host;
            case EXT_AUTHZ -> "GET /v1/ext-authz/multi HTTP/1.1\r\nHost: " + host;
            case FORWARD_AUTH ->
                "GET /v1/forward-auth HTTP/1.1\r\nX-Forwarded-Uri: /multi\r\nHost: sluice\r\nX-Forwarded-Host: " + host;
        };
        return RawHttpConnection.exchange(port, lines + "\r\nConnection: close\r\n\r\n").header("RateLimit-Policy");
    }

    @ParameterizedTest
    @EnumSource
    void ruleIsNarrowedToHosts(RuleDoor door) throws IOException {
        for (var host : List.of("api.example.com", "API.Example.com:8443", "api.example.com.", "a.b.internal.example")) {
            WindowReset.resetAll(admin);
            assertThat(policyOf(door, host)).as(host).contains("api:/multi");
        }
        for (var host : List.of("example.com", "xapi.example.com", "internal.example", "notinternal.example", "[::1]:80")) {
            assertThat(policyOf(door, host)).as(host).contains("api:default");
        }
    }

    @ParameterizedTest
    @EnumSource
    void rulesThatHoldTooAreDecidedTogether(RuleDoor door) {
        var first = door.get(http, "/api/v1/campaigns/7");
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(header(first, "RateLimit-Policy")).isEqualTo("\"api:/campaigns/{id}\";q=9;w=60,"
                + " \"ip=127.0.0.1/rule:everything\";q=3;w=60, \"path:id=7/rule:tried\";q=1;w=60");
        assertThat(header(first, "X-RateLimit-Limit")).isEqualTo("3");
        assertThat(header(first, "X-RateLimit-Remaining")).isEqualTo("2");
        assertThat(header(door.get(http, "/api/v1/campaigns/7"), "X-RateLimit-Dry-Run")).isEqualTo("denied");
        door.get(http, "/annotated/uni");

        var denied = door.get(http, "/api/v1/campaigns/8");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(HttpTestClient.error(denied).getJsonObject("details").getString("resource")).isEqualTo("rule:everything");
        assertThat(limits("ip:127.0.0.1")).isEqualTo(door == RuleDoor.DIRECT
                ? Map.of("api:/campaigns/{id}", 2L, "api:/annotated/uni", 1L, UNI, 1L)
                : Map.of("api:/campaigns/{id}", 2L, "api:/annotated/uni", 1L));
        assertThat(limits("path:id=8")).isEmpty();
        assertThat(door.get(http, "/api/v1/campaigns/8", "X-Forwarded-For", "203.0.113.77").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void ruleThatHoldsTooIsNarrowed(RuleDoor door) {
        assertThat(door.send(http, "POST", "/campaigns/1").statusCode()).isEqualTo(200);
        assertThat(door.send(http, "POST", "/campaigns/2").statusCode()).isEqualTo(429);
        assertThat(door.get(http, "/campaigns/2").statusCode()).isEqualTo(200);
    }
}
