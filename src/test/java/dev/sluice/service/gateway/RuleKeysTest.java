package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.engine.WindowReset;
import dev.sluice.identity.Sha256;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.RuleDoor;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Keys of rules: of the JAX-RS filter, and of requests that proxies describe. */
@QuarkusTest
@TestProfile(RichRulesProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class RuleKeysTest extends HttpTestBase {

    JwtKeys keys;

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    @ParameterizedTest
    @EnumSource
    void windowBelongsToTheKey(RuleDoor door) {
        for (int left = 2; left >= 0; left--) {
            var response = door.get(http, "/campaigns", "X-Tenant", "acme", "X-Forwarded-For", "203.0.113.9");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(left));
            assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"api:/campaigns\";q=3;w=60");
        }
        assertThat(door.get(http, "/campaigns", "X-Tenant", "acme", "X-Forwarded-For", "203.0.113.9", "X-API-Key", "key-of-bob")
                .statusCode()).as("another caller of the same tenant").isEqualTo(429);
        assertThat(door.get(http, "/campaigns", "X-Tenant", "b|ip=x", "X-Forwarded-For", "203.0.113.9").statusCode())
                .isEqualTo(200);
        assertThat(door.get(http, "/campaigns", "X-Tenant", "acme", "X-Forwarded-For", "203.0.113.10").statusCode())
                .isEqualTo(200);
        assertThat(limits("header:x-tenant=acme|ip=203.0.113.9")).isEqualTo(Map.of("api:/campaigns", 3L));
        assertThat(limits("header:x-tenant=b%7Cip%3Dx|ip=203.0.113.9")).isEqualTo(Map.of("api:/campaigns", 1L));
        assertThat(limits("ip:203.0.113.9")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void repeatedFieldsDoNotEvade(RuleDoor door) {
        for (int i = 0; i < 3; i++) {
            assertThat(door.get(http, "/campaigns", "X-Tenant", "acme", "X-Tenant", "other" + i).statusCode()).isEqualTo(200);
        }
        assertThat(door.get(http, "/campaigns", "X-Tenant", "fresh", "X-Tenant", "acme").statusCode()).isEqualTo(429);
        assertThat(limits("header:x-tenant=fresh|ip=127.0.0.1")).as("a denial takes nothing").isEmpty();
        assertThat(door.get(http, "/campaigns", "X-Tenant", "acme").statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void variableOfThePathIsRead(RuleDoor door) {
        door.get(http, "/tenants/acme");
        door.get(http, "/api/v1/tenants/%61cme/x");
        assertThat(door.get(http, "/tenants/acme;v=1").statusCode()).as("some servers drop the parameter").isEqualTo(429);
        assertThat(limits("path:name=acme")).isEqualTo(Map.of("api:/tenants/{name}", 2L));
        assertThat(door.get(http, "/tenants/other").statusCode()).isNotEqualTo(429);
    }

    @ParameterizedTest
    @EnumSource
    void ruleWithoutItsOptionalPartGivesWayToTheDefaultRule(RuleDoor door) {
        assertThat(header(door.get(http, "/plain", "Authorization", "Basic c2VjcmV0"), "RateLimit-Policy"))
                .isEqualTo("\"api:/plain\";q=2;w=60");
        assertThat(header(door.get(http, "/plain"), "RateLimit-Policy")).isEqualTo("\"api:default\";q=10;w=60");
        assertThat(limits("header:authorization=sha256:" + Sha256.hex("Basic c2VjcmV0"))).hasSize(1);
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:default", 1L));
    }

    @ParameterizedTest
    @EnumSource
    void claimsOfTheTokenAreRead(RuleDoor door) {
        for (Object tenant : new Object[]{"t1", 7, true}) {
            var token = keys.tokenWithClaims("alice", Map.of("realm", Map.of("tenant", tenant), "team", "growth"));
            assertThat(door.get(http, "/users", "Authorization", "Bearer " + token).statusCode()).isNotEqualTo(429);
            assertThat(limits("claim:realm.tenant=" + tenant + "|team=growth")).isEqualTo(Map.of("api:/users", 1L));
        }
        door.get(http, "/users");
        assertThat(limits("claim:realm.tenant=|team=")).isEqualTo(Map.of("api:/users", 1L));
    }

    /** The same request, at random, has the same identifiers whichever way it comes. */
    @Test
    void allDoorsReadTheSameValues() {
        var random = new Random(20261130);
        var texts = List.of("", "a", "a|b", "a=b", "%", "%7C", "x".repeat(300), "*");
        for (int i = 0; i < 40; i++) {
            WindowReset.resetAll(admin);
            var path = new StringBuilder("/nested-uni?page=1");
            var headers = new ArrayList<>(List.of("X-Forwarded-For", "203.0.113." + random.nextInt(3)));
            for (int n = random.nextInt(7); n > 0; n--) {
                path.append("&q=").append(URLEncoder.encode(texts.get(random.nextInt(texts.size())), StandardCharsets.UTF_8));
            }
            var name = random.nextBoolean() ? "x-tenant" : "X_Tenant"; // one of them: the client of this test sorts names
            for (int n = random.nextInt(3); n > 0; n--) {
                headers.addAll(List.of(name, texts.get(random.nextInt(texts.size()))));
            }
            if (random.nextBoolean()) {
                headers.addAll(List.of("Cookie", "t=1; s=" + random.nextInt(3) + (random.nextBoolean() ? "" : "; s=a")));
            }
            if (random.nextBoolean()) {
                headers.addAll(List.of("Authorization", "Bearer "
                        + keys.tokenWithClaims("alice", Map.of("realm", Map.of("tenant", random.nextBoolean() ? 7 : "t|1")))));
            }
            for (var door : RuleDoor.values()) {
                assertThat(door.get(http, path.toString(), headers.toArray(String[]::new)).statusCode())
                        .as(path + " " + headers)
                        .isEqualTo(200);
            }
            var identifiers = identifiers(path.toString(), headers);
            assertThat(identifiers).hasSizeBetween(1, 4).doesNotHaveDuplicates()
                    .allSatisfy(identifier -> assertThat(limits(identifier))
                            .as("%s %s", path, headers).isEqualTo(Map.of("api:/nested-uni", (long) RuleDoor.values().length)));
        }
    }

    private List<String> identifiers(String path, List<String> headers) {
        var fields = new JsonObject();
        for (int i = 0; i < headers.size(); i += 2) {
            var values = fields.getJsonArray(headers.get(i), new JsonArray());
            fields.put(headers.get(i), values.add(headers.get(i + 1)));
        }
        var response = http.post("/v1/rules/try",
                new JsonObject().put("path", path).put("headers", fields).put("remote_address", "127.0.0.1").encode(),
                "Content-Type", "application/json", "Authorization", "Bearer the-admin-token");
        return HttpTestClient.json(response).getJsonArray("rules").stream().map(JsonObject.class::cast)
                .map(rule -> rule.getString("identifier")).toList();
    }

    @Test
    void requestsWithoutATokenCannotUseTheKeysOfRules() {
        var body = "{\"identifier\":\"header:x-tenant=acme|ip=203.0.113.9\",\"resource\":\"api:/campaigns\",\"tier\":\"free\"}";
        var response = http.post("/v1/check", body, "Content-Type", "application/json");
        assertThat(response.statusCode()).isEqualTo(403);
    }
}
