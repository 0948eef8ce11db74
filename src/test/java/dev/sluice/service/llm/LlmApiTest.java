package dev.sluice.service.llm;

import static io.restassured.RestAssured.given;
import static io.restassured.RestAssured.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
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

    private static RequestSpecification givenAdmin() {
        return given().header("Authorization", LlmProfile.ADMIN_AUTHORIZATION);
    }

    private static ValidatableResponse check(JsonObject body) {
        return given().contentType(ContentType.JSON).body(body.encode()).when().post("/v1/llm/check").then();
    }

    private static void report(JsonObject body) {
        given().contentType(ContentType.JSON)
                .body(new JsonObject().put("provider", "openai").put("identifier", "u").put("model", "gpt-4o").mergeIn(body)
                        .encode())
                .when().post("/v1/llm/usage")
                .then().statusCode(204);
    }

    private long windowUsage(String resource) {
        return admin.limits("u").await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void fourthFreeCallIsDenied() {
        for (int i = 2; i >= 0; i--) {
            check(call("free", "gpt-4o", 1200))
                    .statusCode(200)
                    .body("remaining", is(i))
                    .body("$", not(hasKey("reservation"))); // only requests are limited
        }
        check(call("free", "gpt-4o", 1200))
                .statusCode(429)
                .header("Retry-After", notNullValue())
                .header("RateLimit-Policy", "\"llm:openai\";q=3;w=60")
                .body("error.code", is("RATE_5001"))
                .body("error.details.limit", is(3));
        assertThat(ledger("u")).isEmpty();
    }

    @Test
    void missingTierIsTheFirstTierAndAnUnknownOneIsRejected() {
        check(new JsonObject().put("provider", "anthropic").put("identifier", "u")).body("limit", is(5));
        check(new JsonObject().put("provider", "anthropic").put("identifier", "u").put("tier", "gold")).statusCode(400)
                .body("error.details.field", is("tier"));
    }

    @Test
    void tokensAreReservedAndSettled() {
        String reservation = check(call("tokens", "gpt-4o", 800))
                .statusCode(200)
                .header("RateLimit-Policy", containsString("\"llm:openai:tokens\";q=1000;w=60;qu=\"tokens\""))
                .body("unit", is("tokens"))
                .body("remaining", is(200))
                .extract().path("reservation");
        check(call("tokens", "gpt-4o", 201))
                .statusCode(429)
                .body("error.details.limit", is(1000))
                .body("error.details.unit", is("tokens"));
        report(new JsonObject().put("input_tokens", 90).put("output_tokens", 10).put("reservation", reservation));
        assertThat(windowUsage("llm:openai:tokens")).isEqualTo(100);
        check(call("tokens", "gpt-4o", 900)).statusCode(200);
    }

    @Test
    void estimateAboveTheLimitIsAdmittedToAnEmptyWindow() {
        check(call("tokens", "gpt-4o", 50_000_000)).statusCode(200);
        check(call("tokens", "gpt-4o", 1)).statusCode(429);
    }

    @Test
    void budgetIsReservedAndSettledInDollars() {
        String reservation = check(call("money", "gpt-4o", 500)) // 500 x 10 dollars a million
                .statusCode(200)
                .body("unit", is("usd"))
                .body("limit", is(0.01))
                .body("remaining", is(0.005))
                .extract().path("reservation");
        check(call("money", "gpt-4o", 501)).statusCode(429);
        report(new JsonObject().put("input_tokens", 400).put("output_tokens", 100).put("reservation", reservation));
        assertThat(windowUsage("llm:openai:budget")).isEqualTo(2_000_000); // billionths: 400 x 2.50 + 100 x 10 a million
        assertThat(ledger("u", "openai").getString("cost_usd")).isEqualTo("0.002");
    }

    @Test
    void unpricedModelIsDeniedUnderABudget() {
        check(call("money", "who-knows", 1))
                .statusCode(429)
                .header("Retry-After", nullValue())
                .body("error.message", containsString("no price"));
        check(call("money", "house-model", 1)).statusCode(200);
        check(call("wealthy", "who-knows", 1)).statusCode(200);
    }

    @Test
    void modelRuleReplacesProviderRule() {
        check(call("pro", "o3", 1)).statusCode(200);
        check(call("pro", "o3-2025-04-16", 1)).statusCode(429);
        check(call("pro", "gpt-4o", 1)).statusCode(200);
        check(call("tokens", "gpt-4o-mini-2024-07-18", 400_000)).statusCode(200);
        check(call("tokens", "gpt-4o-mini", 90_000)).statusCode(200);
    }

    @Test
    void checkEndpointAppliesProviderRule() {
        var body = "{\"identifier\":\"u\",\"resource\":\"llm:openai\",\"tier\":\"pro\"}";
        given().contentType(ContentType.JSON).body(body).when().post("/v1/check").then().body("limit", is(60));
    }

    @Test
    void ledgerAddsUpByProviderAndModel() {
        report(new JsonObject().put("input_tokens", 1000).put("output_tokens", 50).put("cached_input_tokens", 300)
                .put("cache_write_input_tokens", 100));
        report(new JsonObject().put("input_tokens", 1).put("output_tokens", 1).put("model", "gpt-4o-mini"));
        report(new JsonObject().put("input_tokens", 7).put("model", "who-knows"));
        report(new JsonObject().put("provider", "gemini").put("model", "gemini-2.5-pro").put("input_tokens", 200_001));
        // 600 x 2.50 + 300 x 1.25 + 100 x 2.50 + 50 x 10, and .15 + .60
        givenAdmin().when().get("/v1/llm/usage?identifier=u").then().statusCode(200)
                .body("providers.openai.calls", is(3))
                .body("providers.openai.window_hours", is(24))
                .body("providers.openai.input_tokens", is(1008))
                .body("providers.openai.output_tokens", is(51))
                .body("providers.openai.cached_input_tokens", is(300))
                .body("providers.openai.cache_write_input_tokens", is(100))
                .body("providers.openai.unpriced_calls", is(1))
                .body("providers.openai.cost_usd", is("0.00262575"))
                .body("providers.openai.models.'gpt-4o-mini'.cost_usd", is("0.00000075"))
                .body("providers.openai.models.'who-knows'.input_tokens", is(7))
                .body("providers.gemini.cost_usd", is("0.5000025"));
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

    /** Usage that nothing was reserved for is in the windows, also beyond their limits, and once for each request id. */
    @Test
    void usageWithoutAReservationIsCountedInTheWindows() {
        var used = new JsonObject().put("input_tokens", 600).put("output_tokens", 100).put("tier", "tokens");
        report(used.copy().put("request_id", "req-1"));
        report(used.copy().put("request_id", "req-1"));
        assertThat(windowUsage("llm:openai:tokens")).isEqualTo(700);
        check(call("tokens", "gpt-4o", 400)).statusCode(429);
        report(used.copy().put("request_id", "req-2"));
        assertThat(windowUsage("llm:openai:tokens")).as("beyond the limit of 1000").isEqualTo(1400);
        check(call("tokens", "gpt-4o", 1)).statusCode(429);
    }

    @Test
    void usageOfAnUnknownTierIsRejected() {
        given().contentType(ContentType.JSON)
                .body(new JsonObject().put("provider", "openai").put("identifier", "u").put("model", "gpt-4o")
                        .put("tier", "gold")
                        .encode())
                .when().post("/v1/llm/usage").then().statusCode(400).body("error.details.field", is("tier"));
    }

    @Test
    void callMayCostMoreThanTheLargestNumberOfRequests() {
        for (var tier : new String[]{"free", "money"}) { // without and with a budget; a dollar is 1,000,000,000 units
            report(new JsonObject().put("input_tokens", 900_000).put("tier", tier));
        }
        assertThat(ledger("u", "openai").getString("cost_usd")).isEqualTo("4.5");
        assertThat(windowUsage("llm:openai:budget")).isEqualTo(2_250_000_000L);
    }

    @Test
    void resetClearsWindowsButNotTheLedger() {
        String reservation = check(call("tokens", "gpt-4o", 800)).extract().path("reservation");
        report(new JsonObject().put("input_tokens", 5));
        givenAdmin().when().delete("/v1/limits?all=true").then().statusCode(204);
        assertThat(windowUsage("llm:openai:tokens")).isZero();
        check(call("tokens", "gpt-4o", 300)).statusCode(200);
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
        given().contentType(ContentType.JSON).body(body)
                .when().post("/v1/llm/check")
                .then().statusCode(400)
                .body("error.code", is("RATE_4001"))
                .body("error.details.field", is(field));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{\"provider\":\"openai\",\"identifier\":\"u\"}|model",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"input_tokens\":-5}|input_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"output_tokens\":1000000000000}|output_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"input_tokens\":1,\"cached_input_tokens\":2}|input_tokens",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"reservation\":5}|reservation",
            "{\"provider\":\"openai\",\"identifier\":\"u\",\"model\":\"m\",\"request_id\":\"\"}|request_id"})
    void invalidReportNamesTheFieldAndRecordsNothing(String body, String field) {
        given().contentType(ContentType.JSON).body(body)
                .when().post("/v1/llm/usage")
                .then().statusCode(400)
                .body("error.details.field", is(field));
        assertThat(ledger("u")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hours=0", "hours=745", "hours=x", "hours=", "hours=1&hours=2"})
    void invalidQueryNamesTheField(String query) {
        givenAdmin()
                .when().get("/v1/llm/usage?identifier=u&" + query)
                .then().statusCode(400)
                .body("error.details.field", is("hours"));
    }

    @Test
    void unknownQueryParametersAreRejected() {
        givenAdmin()
                .when().get("/v1/llm/usage?identifier=u&hour=1")
                .then().statusCode(400)
                .body("error.details.field", is("query"))
                .body("error.message", containsString("identifier, hours"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/llm/check", "/v1/llm/usage"})
    void reservedIdentifiersRequireTheApiToken(String path) {
        var body = new JsonObject().put("provider", "openai").put("identifier", "user:alice").put("model", "m").encode();
        given().contentType(ContentType.JSON).body(body).when().post(path).then().statusCode(403);
        assertThat(ledger("user:alice")).isEmpty();
    }

    @Test
    void adminTokenMayReportReservedIdentifiers() {
        var body = new JsonObject().put("provider", "openai").put("identifier", "user:alice").put("model", "m").encode();
        givenAdmin().contentType(ContentType.JSON).body(body).when().post("/v1/llm/usage").then().statusCode(204);
        assertThat(ledger("user:alice", "openai").getInteger("calls")).isEqualTo(1);
    }

    @Test
    void ledgerRequiresTheAdminToken() {
        when().get("/v1/llm/usage?identifier=user:alice").then().statusCode(403);
        given().header("Authorization", "Bearer wrong")
                .when().get("/v1/llm/usage?identifier=user:alice")
                .then().statusCode(401);
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
