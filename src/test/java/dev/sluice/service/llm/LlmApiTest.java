package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Decision endpoints for programs that call LLM providers directly. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmApiTest extends LlmTestBase {

    private static JsonObject call(String tier, String model, long tokens) {
        return new JsonObject().put("provider", "openai").put("identifier", "u").put("tier", tier).put("model", model)
                .put("tokens", tokens);
    }

    private HttpResponse<String> check(JsonObject body) {
        return http.post("/v1/llm/check", body.encode());
    }

    private void report(JsonObject body) {
        var response = http.post("/v1/llm/usage",
                new JsonObject().put("provider", "openai").put("identifier", "u").put("model", "gpt-4o").mergeIn(body)
                        .encode());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
    }

    private long windowUsage(String resource) {
        return admin.limits("u").await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void fourthFreeCallIsDenied() {
        for (int i = 2; i >= 0; i--) {
            var response = check(call("free", "gpt-4o", 1200));
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(json(response).getInteger("remaining")).isEqualTo(i);
            assertThat(json(response).containsKey("reservation")).isFalse(); // only requests are limited
        }
        var denied = check(call("free", "gpt-4o", 1200));
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(denied).getJsonObject("details").getInteger("limit")).isEqualTo(3);
        assertThat(header(denied, "Retry-After")).isNotNull();
        assertThat(header(denied, "RateLimit-Policy")).isEqualTo("\"llm:openai\";q=3;w=60");
        assertThat(ledger("u")).isEmpty();
    }

    @Test
    void missingOrUnknownTierIsTheFirstTier() {
        var response = check(new JsonObject().put("provider", "anthropic").put("identifier", "u"));
        assertThat(json(response).getInteger("limit")).isEqualTo(5);
        assertThat(json(check(call("none", "gpt-4o", 1))).getInteger("limit")).isEqualTo(3);
    }

    @Test
    void tokensAreReservedAndSettled() {
        var first = check(call("tokens", "gpt-4o", 800));
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(json(first).getString("unit")).isEqualTo("tokens");
        assertThat(json(first).getInteger("remaining")).isEqualTo(200);
        assertThat(header(first, "RateLimit-Policy")).contains("\"llm:openai:tokens\";q=1000;w=60;qu=\"tokens\"");
        var denied = check(call("tokens", "gpt-4o", 201));
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getJsonObject("details").getInteger("limit")).isEqualTo(1000);
        assertThat(error(denied).getJsonObject("details").getString("unit")).isEqualTo("tokens");
        report(new JsonObject().put("input_tokens", 90).put("output_tokens", 10).put("reservation",
                json(first).getString("reservation")));
        assertThat(windowUsage("llm:openai:tokens")).isEqualTo(100);
        assertThat(check(call("tokens", "gpt-4o", 900)).statusCode()).isEqualTo(200);
    }

    @Test
    void estimateAboveTheLimitIsAdmittedToAnEmptyWindow() {
        assertThat(check(call("tokens", "gpt-4o", 50_000_000)).statusCode()).isEqualTo(200);
        assertThat(check(call("tokens", "gpt-4o", 1)).statusCode()).isEqualTo(429);
    }

    @Test
    void budgetIsReservedAndSettledInDollars() {
        var first = check(call("money", "gpt-4o", 500)); // 500 x 10 dollars a million
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(json(first).getString("unit")).isEqualTo("usd");
        assertThat(json(first).getDouble("limit")).isEqualTo(0.01);
        assertThat(json(first).getDouble("remaining")).isEqualTo(0.005);
        assertThat(check(call("money", "gpt-4o", 501)).statusCode()).isEqualTo(429);
        report(new JsonObject().put("input_tokens", 400).put("output_tokens", 100).put("reservation",
                json(first).getString("reservation")));
        assertThat(windowUsage("llm:openai:budget")).isEqualTo(2_000_000); // billionths: 400 x 2.50 + 100 x 10 a million
        assertThat(ledger("u", "openai").getString("cost_usd")).isEqualTo("0.002");
    }

    @Test
    void unpricedModelIsDeniedUnderABudget() {
        var denied = check(call("money", "who-knows", 1));
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("message")).contains("no price");
        assertThat(header(denied, "Retry-After")).isNull();
        assertThat(check(call("money", "house-model", 1)).statusCode()).isEqualTo(200);
        assertThat(check(call("wealthy", "who-knows", 1)).statusCode()).isEqualTo(200);
    }

    @Test
    void modelRuleReplacesProviderRule() {
        assertThat(check(call("pro", "o3", 1)).statusCode()).isEqualTo(200);
        assertThat(check(call("pro", "o3-2025-04-16", 1)).statusCode()).isEqualTo(429);
        assertThat(check(call("pro", "gpt-4o", 1)).statusCode()).isEqualTo(200);
        assertThat(check(call("tokens", "gpt-4o-mini-2024-07-18", 400_000)).statusCode()).isEqualTo(200);
        assertThat(check(call("tokens", "gpt-4o-mini", 90_000)).statusCode()).isEqualTo(200);
    }

    @Test
    void checkEndpointAppliesProviderRule() {
        var body = "{\"identifier\":\"u\",\"resource\":\"llm:openai\",\"tier\":\"pro\"}";
        assertThat(json(http.post("/v1/check", body)).getInteger("limit")).isEqualTo(60);
    }

    @Test
    void ledgerAddsUpByProviderAndModel() {
        report(new JsonObject().put("input_tokens", 1000).put("output_tokens", 50).put("cached_input_tokens", 300)
                .put("cache_write_input_tokens", 100));
        report(new JsonObject().put("input_tokens", 1).put("output_tokens", 1).put("model", "gpt-4o-mini"));
        report(new JsonObject().put("input_tokens", 7).put("model", "who-knows"));
        report(new JsonObject().put("provider", "gemini").put("model", "gemini-2.5-pro").put("input_tokens", 200_001));
        var openai = ledger("u", "openai");
        assertThat(openai.getInteger("calls")).isEqualTo(3);
        assertThat(openai.getInteger("window_hours")).isEqualTo(24);
        assertThat(openai.getInteger("input_tokens")).isEqualTo(1008);
        assertThat(openai.getInteger("output_tokens")).isEqualTo(51);
        assertThat(openai.getInteger("cached_input_tokens")).isEqualTo(300);
        assertThat(openai.getInteger("cache_write_input_tokens")).isEqualTo(100);
        assertThat(openai.getInteger("unpriced_calls")).isEqualTo(1);
        // 600 x 2.50 + 300 x 1.25 + 100 x 2.50 + 50 x 10, and .15 + .60
        assertThat(openai.getString("cost_usd")).isEqualTo("0.00262575");
        assertThat(openai.getJsonObject("models").getJsonObject("gpt-4o-mini").getString("cost_usd")).isEqualTo("0.00000075");
        assertThat(openai.getJsonObject("models").getJsonObject("who-knows").getInteger("input_tokens")).isEqualTo(7);
        assertThat(ledger("u", "gemini").getString("cost_usd")).isEqualTo("0.5000025");
        assertThat(ledger("somebody-else")).isEmpty();
    }

    @Test
    void requestIdIsRecordedOnce() {
        for (int i = 0; i < 3; i++) {
            report(new JsonObject().put("input_tokens", 5).put("request_id", "req-1"));
        }
        report(new JsonObject().put("input_tokens", 5).put("request_id", "req-2"));
        report(new JsonObject().put("input_tokens", 5).put("request_id", "req-1").put("identifier", "v"));
        assertThat(ledger("u", "openai").getInteger("calls")).isEqualTo(2);
        assertThat(ledger("v", "openai").getInteger("calls")).isEqualTo(1);
    }

    @Test
    void resetClearsWindowsButNotTheLedger() {
        var reservation = json(check(call("tokens", "gpt-4o", 800))).getString("reservation");
        report(new JsonObject().put("input_tokens", 5));
        assertThat(
                http.send("DELETE", "/v1/limits?all=true", null, "Authorization", LlmProfile.ADMIN_AUTHORIZATION).statusCode())
                .isEqualTo(204);
        assertThat(windowUsage("llm:openai:tokens")).isZero();
        assertThat(check(call("tokens", "gpt-4o", 300)).statusCode()).isEqualTo(200);
        report(new JsonObject().put("input_tokens", 1).put("reservation", reservation));
        assertThat(windowUsage("llm:openai:tokens")).isEqualTo(300);
        assertThat(ledger("u", "openai").getInteger("calls")).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{}|provider", "{\"provider\":\"mistral\",\"identifier\":\"u\"}|provider",
            "{\"provider\":1,\"identifier\":\"u\"}|provider", "{\"provider\":\"openai\"}|identifier",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"tokens\":-1}|tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"tokens\":1000000000000}|tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"tokens\":1.5}|tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"\"}|model",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"tier\":7}|tier",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"cost\":7}|cost", "[]|body", "no json|body"})
    void invalidCheckNamesTheField(String body, String field) {
        var response = http.post("/v1/llm/check", body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4001");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{\"provider\":\"openai\",\"identifier\":\"u\"}|model",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"input_tokens\":-5}|input_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"output_tokens\":1000000000000}|output_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"input_tokens\":1,\"cached_input_tokens\":2}|input_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"reservation\":5}|reservation",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"request_id\":\"\"}|request_id"})
    void invalidReportNamesTheFieldAndRecordsNothing(String body, String field) {
        var response = http.post("/v1/llm/usage", body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
        assertThat(ledger("u")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"hours=0,hours", "hours=745,hours", "hours=x,hours", "hours=,hours", "hours=1&hours=2,hours"})
    void invalidQueryNamesTheField(String query, String field) {
        var response = http.get("/v1/llm/usage?identifier=u&" + query, "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    @Test
    void endpointsRequireTheirTokens() {
        var others = new JsonObject().put("provider", "openai").put("identifier", "user:alice").put("model", "m");
        assertThat(http.post("/v1/llm/check", others.encode()).statusCode()).isEqualTo(403);
        assertThat(http.post("/v1/llm/usage", others.encode()).statusCode()).isEqualTo(403);
        assertThat(http.post("/v1/llm/usage", others.encode(), "Authorization", LlmProfile.ADMIN_AUTHORIZATION).statusCode())
                .isEqualTo(204);
        assertThat(http.get("/v1/llm/usage?identifier=user:alice").statusCode()).isEqualTo(403);
        assertThat(http.get("/v1/llm/usage?identifier=user:alice", "Authorization", "Bearer wrong").statusCode())
                .isEqualTo(401);
        assertThat(ledger("user:alice", "openai").getInteger("calls")).isEqualTo(1);
    }

    @Test
    void forgedReservationsHaveNoEffect() {
        check(call("tokens", "gpt-4o", 500));
        for (var forged : new String[]{"x", "r-00000000000000000000000000000000-60", "r-{a}",
                "m-0123456789abcdef0123456789abcdef-60"}) {
            report(new JsonObject().put("input_tokens", 0).put("reservation", forged));
        }
        assertThat(windowUsage("llm:openai:tokens")).isEqualTo(500);
    }
}
