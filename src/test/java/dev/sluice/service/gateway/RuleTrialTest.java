package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.identity.Sha256;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** {@code POST /v1/rules/try}. */
@QuarkusTest
@TestProfile(RichRulesProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class RuleTrialTest extends HttpTestBase {

    private HttpResponse<String> send(String body) {
        return http.post("/v1/rules/try", body, "Content-Type", "application/json", "Authorization", "Bearer the-admin-token");
    }

    private JsonObject tryRules(String body) {
        var response = send(body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response);
    }

    @Test
    void rulesAndTheirWindowsAreReturnedAndNothingIsConsumed() {
        var body = "{\"path\":\"/api/v1/campaigns/7?x=1\",\"remote_address\":\"203.0.113.9\",\"headers\":{\"X-Tenant\":\"a\"}}";
        for (int i = 0; i < 5; i++) {
            var answer = tryRules(body);
            assertThat(answer.getBoolean("allowed")).isTrue();
            assertThat(answer.getInteger("status")).isEqualTo(200);
            assertThat(answer.getInteger("limit")).as("not of the shadow rule").isEqualTo(3);
            assertThat(answer.getInteger("remaining")).isEqualTo(3);
            assertThat(answer.getJsonObject("caller")).isEqualTo(
                    new JsonObject("{\"identifier\":\"ip:203.0.113.9\",\"tier\":\"free\",\"source\":\"address\"}"));
            var rules = answer.getJsonArray("rules");
            assertThat(rules).hasSize(3);
            assertThat(rules.getJsonObject(0).getString("resource")).isEqualTo("api:/campaigns/{id}");
            assertThat(rules.getJsonObject(0).getString("identifier")).isEqualTo("ip:203.0.113.9");
            assertThat(rules.getJsonObject(0).getString("key")).isNull();
            assertThat(rules.getJsonObject(1).getString("identifier")).isEqualTo("ip=203.0.113.9");
            assertThat(rules.getJsonObject(1).getString("key")).isEqualTo("ip");
            assertThat(rules.getJsonObject(1).getString("source")).isEqualTo("settings");
            assertThat(rules.getJsonObject(1).getJsonArray("quotas").getJsonObject(0).getInteger("remaining")).isEqualTo(3);
            assertThat(rules.getJsonObject(2).getBoolean("shadow")).isTrue();
            assertThat(rules.getJsonObject(2).getString("identifier")).isEqualTo("path:id=7");
        }
        assertThat(admin.limits("ip:203.0.113.9").await().indefinitely()).isEqualTo(Map.of());
    }

    @Test
    void whatWouldBeAnsweredIsThatOfARequest() {
        for (int i = 0; i < 2; i++) {
            http.get("/api/v1/campaigns/7");
        }
        var answer = tryRules("{\"path\":\"/campaigns/7\",\"remote_address\":\"127.0.0.1\"}");
        assertThat(answer.getBoolean("allowed")).isTrue();
        assertThat(answer.getBoolean("would_be_denied")).isTrue();
        assertThat(answer.getInteger("remaining")).isEqualTo(1);
        http.get("/api/v1/campaigns/8");

        var denied = tryRules("{\"method\":\"GET\",\"path\":\"/campaigns/9\",\"remote_address\":\"127.0.0.1\"}");

        assertThat(denied.getBoolean("allowed")).isFalse();
        assertThat(denied.getInteger("status")).isEqualTo(429);
        assertThat(denied.getInteger("limit")).isEqualTo(3);
        assertThat(denied.getInteger("remaining")).isZero();
        assertThat(denied.getLong("retry_after")).isBetween(1L, 60L);
        assertThat(denied.getLong("reset_at")).isPositive();
        assertThat(denied.getJsonArray("rules").getJsonObject(1).getBoolean("allowed")).isFalse();
    }

    @Test
    void credentialsResolveTheCallerAndAreNotRepeated() {
        var response = send(
                "{\"path\":\"/plain\",\"headers\":{\"x-api-key\":\"key-of-bob\",\"Authorization\":\"Basic c2VjcmV0\"}}");
        var answer = json(response);
        assertThat(answer.getJsonObject("caller").getString("identifier")).isEqualTo("user:bob");
        assertThat(answer.getJsonObject("caller").getString("tier")).isEqualTo("pro");
        assertThat(answer.getJsonArray("rules").getJsonObject(0).getString("identifier"))
                .isEqualTo("header:authorization=sha256:" + Sha256.hex("Basic c2VjcmV0"));
        assertThat(response.body()).doesNotContain("key-of-bob", "c2VjcmV0");

        var invalid = tryRules("{\"path\":\"/plain\",\"headers\":{\"X-API-Key\":\"key-of-nobody\"}}");
        assertThat(invalid.getBoolean("allowed")).isFalse();
        assertThat(invalid.getInteger("status")).isEqualTo(401);
        assertThat(invalid.getString("message")).isEqualTo("The API key is unknown");
        assertThat(invalid.getJsonObject("caller")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"free, 10", "pro, 100", "enterprise, 1000"})
    void ratesOfAChosenTierApply(String tier, int limit) {
        for (var headers : new String[]{"{}", "{\"X-API-Key\":\"key-of-bob\"}"}) {
            var answer = tryRules("{\"path\":\"/other\",\"headers\":" + headers + ",\"tier\":\"" + tier + "\"}");
            assertThat(answer.getJsonObject("caller").getString("tier")).isEqualTo(tier);
            assertThat(answer.getInteger("limit")).isEqualTo(limit);
        }
    }

    @Test
    void hostAndMethodNarrowRules() {
        assertThat(resource("{\"path\":\"/multi\",\"host\":\"api.example.com\"}")).isEqualTo("api:/multi");
        assertThat(resource("{\"path\":\"http://api.example.com/multi\"}")).isEqualTo("api:/multi");
        assertThat(resource("{\"path\":\"/multi\",\"headers\":{\"Host\":\"other.example\"}}")).isEqualTo("api:default");
        assertThat(resource("{\"path\":\"/nested\",\"method\":\"PUT\"}")).isEqualTo("api:default");
        assertThat(tryRules("{\"path\":\"/v1/check\",\"method\":\"POST\"}").getJsonArray("rules")).isEmpty();
    }

    private JsonObject rule(int index, String body) {
        return tryRules(body).getJsonArray("rules").getJsonObject(index);
    }

    @Test
    void costsAndCountedAnswersAreDescribedAndDecided() {
        assertThat(rule(0, "{\"path\":\"/fixed\"}").getInteger("cost")).isEqualTo(4);
        assertThat(rule(0, "{\"path\":\"/fixed\"}").containsKey("proxy_notes")).isFalse();
        assertThat(rule(0, "{\"path\":\"/costly\",\"headers\":{\"X-Cost\":[\"2\",\"7\"]}}").getInteger("cost")).isEqualTo(7);
        var counted = rule(0, "{\"path\":\"/answers/401\"}");
        assertThat(counted.getString("count")).isEqualTo("401,5xx");
        assertThat(counted.containsKey("cost")).isFalse();
        assertThat(counted.getJsonArray("proxy_notes")).singleElement().asString().startsWith("count: ");
        var billed = rule(0, "{\"path\":\"/billed/200\"}");
        assertThat(billed.getInteger("cost")).isEqualTo(2);
        assertThat(billed.getJsonArray("proxy_notes")).singleElement().asString().startsWith("cost: ");

        http.get("/costly", "X-Cost", "15");
        var denied = tryRules("{\"path\":\"/costly\",\"remote_address\":\"127.0.0.1\",\"headers\":{\"X-Cost\":\"6\"}}");
        assertThat(denied.getInteger("status")).isEqualTo(429);
        assertThat(denied.getInteger("remaining")).isEqualTo(5);
        assertThat(denied.getLong("retry_after")).isBetween(1L, 60L);
        var allowed = tryRules("{\"path\":\"/costly\",\"remote_address\":\"127.0.0.1\",\"headers\":{\"X-Cost\":\"5\"}}");
        assertThat(allowed.getBoolean("allowed")).isTrue();
        assertThat(tryRules("{\"path\":\"/costly\",\"headers\":{\"X-Cost\":\"21\"}}").getInteger("status")).isEqualTo(400);
        assertThat(tryRules("{\"path\":\"/priced?n=x\"}").getString("message")).startsWith("n must be a whole number");
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEqualTo(Map.of("api:/costly", 15L));
    }

    private String resource(String body) {
        return tryRules(body).getJsonArray("rules").getJsonObject(0).getString("resource");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"{}; path", "{\"path\":\"a\"}; path", "{\"path\":7}; path",
            "{\"path\":\"/a\",\"method\":\"G T\"}; method", "{\"path\":\"/a\",\"headers\":\"x\"}; headers",
            "{\"path\":\"/a\",\"headers\":{\"X\":7}}; headers", "{\"path\":\"/a\",\"headers\":{\"X\":[\"a\",null]}}; headers",
            "{\"path\":\"/a\",\"headers\":{\"\":\"a\"}}; headers", "{\"path\":\"/a\",\"remote_address\":\"x\"}; remote_address",
            "{\"path\":\"/a?b\",\"query\":\"c\"}; query", "{\"path\":\"/a\",\"other\":1}; other",
            "{\"path\":\"/a\",\"tier\":\"gold\"}; tier", "{\"path\":\"/a\",\"tier\":\"\"}; tier", "[]; body"})
    void invalidFieldIsNamed(String body, String field) {
        var response = send(body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    @Test
    void adminTokenIsRequired() {
        assertThat(http.post("/v1/rules/try", "{\"path\":\"/a\"}", "Content-Type", "application/json").statusCode())
                .isEqualTo(403);
    }
}
