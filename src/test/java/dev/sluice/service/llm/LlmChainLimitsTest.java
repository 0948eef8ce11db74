package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.net.http.HttpResponse;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** The limits of all levels of a caller hold for calls of language models. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmChainLimitsTest extends LlmTestBase {

    private static final String ALICE = "sk-sluice-key-of-alice";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @Inject
    RateLimitAdmin windows;

    private void put(JsonObject team) {
        stored.put(IdentityKind.TEAM, "growth", team)
                .putKey("ka", ALICE, new JsonObject().put("user", "alice").put("team", "growth").put("tier", "pro"));
    }

    private static JsonObject withLimits(String limits) {
        return new JsonObject().put("limits", new JsonObject(limits));
    }

    private int call(String body) {
        return http.post(CHAT, body, "X-API-Key", ALICE).statusCode();
    }

    private long used(String identifier, String resource) {
        return windows.limits(identifier).await().indefinitely().getOrDefault(resource, 0L);
    }

    @Test
    void requestsOfATeamAreLimited() {
        put(withLimits("{\"llm\":{\"requests\":\"2/hour\"}}"));
        assertThat(call(BODY)).isEqualTo(200);
        assertThat(call(BODY)).isEqualTo(200);
        assertThat(call(BODY)).isEqualTo(429);
        assertThat(used("user:alice", "llm:openai")).as("taken by no level").isEqualTo(2);
        assertThat(openAi.requests()).hasSize(2);
    }

    /** Every level's budget and tokens are settled to what the call has used. */
    @Test
    void budgetsOfAllLevelsAreSettled() {
        put(withLimits("{\"llm\":{\"tokens\":\"100000/hour\",\"budget\":\"5/calendar-month\"},"
                + "\"models\":{\"gpt-4*\":{\"budget\":\"1/day\"}}}"));
        assertThat(call(BODY)).isEqualTo(200);
        var booked = ledger("user:alice", "openai");
        Polling.await().untilAsserted(() -> {
            long cost = new BigDecimal(booked.getString("cost_usd")).movePointRight(9).longValueExact();
            assertThat(used("team:growth", "llm:budget")).isEqualTo(cost).isPositive();
            assertThat(used("team:growth", "llm:budget/gpt-4*")).isEqualTo(cost);
            assertThat(used("team:growth", "llm:tokens"))
                    .isEqualTo(booked.getLong("input_tokens") + booked.getLong("output_tokens"));
        });
    }

    @Test
    void budgetThatIsTooSmallDenies() {
        put(withLimits("{\"llm\":{\"budget\":\"0.000001/calendar-month\"}}"));
        assertThat(call(BODY)).isEqualTo(200); // a reservation is at most the limit
        var denied = http.post(CHAT, BODY, "X-API-Key", ALICE);
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("type")).isEqualTo("budget");
    }

    // calls that programs make themselves

    private static JsonObject ofAlice() {
        return new JsonObject().put("provider", "openai").put("identifier", "user:alice").put("model", "gpt-4o");
    }

    private HttpResponse<String> post(String path, JsonObject body) {
        return http.post(path, body.encode(), "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
    }

    private void report(JsonObject usage) {
        var response = post("/v1/llm/usage", usage.put("team", "growth").put("input_tokens", 80).put("output_tokens", 20));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
    }

    private void assertUsedTokens(long tokens, String... identifiers) {
        Polling.await().untilAsserted(() -> {
            for (var identifier : identifiers) {
                assertThat(used(identifier, "llm:tokens")).as(identifier).isEqualTo(tokens);
            }
        });
    }

    @Test
    void checkReservesAtAllLevelsAndUsageSettlesThem() {
        stored.put(IdentityKind.ORG, "acme", withLimits("{\"models\":{\"gpt-4o\":{\"tokens\":\"2000/hour\"}}}"));
        put(withLimits("{\"llm\":{\"tokens\":\"1000/hour\",\"budget\":\"5/calendar-month\"}}").put("org", "acme"));
        stored.put(IdentityKind.USER, "alice", withLimits("{\"llm\":{\"tokens\":\"500/hour\"}}").put("tier", "pro"));
        var allowed = post("/v1/llm/check", ofAlice().put("team", "growth").put("tokens", 400));
        assertThat(allowed.statusCode()).as(allowed.body()).isEqualTo(200);
        assertUsedTokens(400, "user:alice", "team:growth");
        assertThat(used("org:acme", "llm:tokens/gpt-4o")).isEqualTo(400);

        var denied = post("/v1/llm/check", ofAlice().put("team", "growth").put("tokens", 101));
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getJsonObject("details").getString("identifier")).isEqualTo("user:alice");
        assertUsedTokens(400, "user:alice", "team:growth");

        report(ofAlice().put("reservation", new JsonObject(allowed.body()).getString("reservation")));
        assertUsedTokens(100, "user:alice", "team:growth");
        assertThat(used("org:acme", "llm:tokens/gpt-4o")).isEqualTo(100);
        long cost = new BigDecimal(ledger("user:alice", "openai").getString("cost_usd")).movePointRight(9).longValueExact();
        assertThat(used("team:growth", "llm:budget")).isEqualTo(cost).isPositive();
        var spend = http.get("/v1/llm/spend?group_by=team,org", "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(new JsonObject(spend.body()).getJsonArray("rows").getJsonObject(0).getString("team")).isEqualTo("growth");
    }

    /** The user's and the team's limits are removed, and the team leaves its organisation, between the check and the report. */
    @Test
    void reservationIsSettledWhereItWasTaken() {
        stored.put(IdentityKind.ORG, "acme", withLimits("{\"models\":{\"gpt-4o\":{\"tokens\":\"2000/hour\"}}}"));
        put(withLimits("{\"llm\":{\"tokens\":\"1000/hour\"}}").put("org", "acme"));
        stored.put(IdentityKind.USER, "alice", withLimits("{\"llm\":{\"tokens\":\"500/hour\"}}"));
        var allowed = post("/v1/llm/check", ofAlice().put("team", "growth").put("tokens", 400));
        assertUsedTokens(400, "user:alice", "team:growth");
        assertThat(used("org:acme", "llm:tokens/gpt-4o")).isEqualTo(400);
        stored.write(IdentityKind.USER, "alice", new JsonObject());
        stored.write(IdentityKind.TEAM, "growth", new JsonObject());
        Polling.await()
                .until(() -> post("/v1/llm/check", ofAlice().put("team", "growth").put("tokens", 999)).statusCode() == 200);

        var token = new JsonObject(allowed.body()).getString("reservation");
        assertThat(post("/v1/llm/usage", ofAlice().put("identifier", "user:bob").put("reservation", token)).statusCode())
                .as("of another caller").isEqualTo(204);
        assertUsedTokens(400, "user:alice", "team:growth");
        report(ofAlice().put("reservation", token));
        assertUsedTokens(100, "user:alice", "team:growth");
        assertThat(used("org:acme", "llm:tokens/gpt-4o")).isEqualTo(100);
    }

    @Test
    void checkOfAForbiddenModelIsRefusedWithItsReason() {
        stored.put(IdentityKind.USER, "alice", new JsonObject().put("models", List.of("claude*")));
        for (var check : List.of(ofAlice(), new JsonObject().put("provider", "openai").put("identifier", "user:alice"))) {
            var refused = post("/v1/llm/check", check);
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(error(refused).getString("message")).startsWith("The caller may");
            assertThat(error(refused).getJsonObject("details").getString("field")).isEqualTo("model");
        }
        assertThat(used("user:alice", "llm:openai")).isZero();
    }

    @Test
    void usageWithoutAReservationCountsAtAllLevelsAlsoBeyondTheirLimits() {
        put(withLimits("{\"llm\":{\"tokens\":\"120/hour\",\"budget\":\"unlimited\"}}"));
        stored.put(IdentityKind.USER, "alice", withLimits("{\"llm\":{\"tokens\":\"10/hour\",\"budget\":\"0.0001/day\"}}"));
        report(ofAlice());
        report(ofAlice().put("request_id", "r1"));
        report(ofAlice().put("request_id", "r1"));
        assertUsedTokens(200, "user:alice", "team:growth");
        long cost = new BigDecimal(ledger("user:alice", "openai").getString("cost_usd")).movePointRight(9).longValueExact();
        assertThat(used("user:alice", "llm:budget")).isEqualTo(cost).isPositive();
        assertThat(post("/v1/llm/check", ofAlice().put("tokens", 1)).statusCode()).isEqualTo(429);
    }

    @Test
    void tierOfAStoredUserIsThatOfACheckWithoutOne() {
        stored.put(IdentityKind.USER, "alice", new JsonObject().put("tier", "pro"));
        assertThat(limitOf(ofAlice())).isEqualTo(limitOf(ofAlice().put("tier", "pro")))
                .isNotEqualTo(limitOf(ofAlice().put("tier", "free")));
    }

    private int limitOf(JsonObject check) {
        return new JsonObject(post("/v1/llm/check", check).body()).getInteger("limit");
    }

    @Test
    void teamOfACheckIsAName() {
        for (var field : List.of("team", "org")) {
            for (var path : List.of("/v1/llm/check", "/v1/llm/usage")) {
                var refused = post(path, ofAlice().put(field, "a/b"));
                assertThat(refused.statusCode()).isEqualTo(400);
                assertThat(error(refused).getJsonObject("details").getString("field")).isEqualTo(field);
                for (var identifier : List.of("team:growth", "org:acme")) { // whose own limits hold
                    var ambiguous = post(path, ofAlice().put("identifier", identifier).put(field, "other"));
                    assertThat(ambiguous.statusCode()).isEqualTo(400);
                    assertThat(error(ambiguous).getJsonObject("details").getString("field")).isEqualTo(field);
                }
                var anonymous = http.post(path, ofAlice().put("identifier", "u").put(field, "growth").encode());
                assertThat(anonymous.statusCode()).as(anonymous.body()).isEqualTo(403);
                assertThat(error(anonymous).getJsonObject("details").getString("field")).isEqualTo(field);
            }
        }
    }

    @Test
    void onlyListedModelsMayBeCalledAndAreListed() {
        put(new JsonObject().put("models", List.of("gpt-4o*")));
        assertThat(call(BODY)).isEqualTo(200);
        var refused = http.post(CHAT, BODY.replace("gpt-4o", "o3"), "X-API-Key", ALICE);
        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(error(refused).getString("code")).isEqualTo("model_not_allowed");
        assertThat(http.get("/openai/v1/models/o3", "X-API-Key", ALICE).statusCode()).isEqualTo(403);
        assertThat(openAi.requests()).hasSize(1);

        assertThat(listedModels()).containsExactly("gpt-4o");
        stored.put(IdentityKind.TEAM, "growth", new JsonObject().put("models", List.of("o3*")));
        Polling.await().until(() -> listedModels().isEmpty());
    }

    private List<String> listedModels() {
        var listed = http.get("/openai/v1/models", "X-API-Key", ALICE, "Accept-Encoding", "gzip");
        assertThat(listed.statusCode()).isEqualTo(200);
        return new JsonObject(listed.body()).getJsonArray("data").stream().map(model -> ((JsonObject) model).getString("id"))
                .toList();
    }

    @Test
    void spellingsOfAModelShareOneWindow() {
        put(withLimits("{\"models\":{\"gpt-4o\":{\"requests\":\"2/hour\"}}}"));
        assertThat(call(BODY.replace("gpt-4o", "GPT-4o"))).isEqualTo(200);
        assertThat(call(BODY.replace("gpt-4o", " gpt-4o"))).isEqualTo(200);
        for (var model : List.of("gpt-4o", "GPT-4O", "gpt-4o ", "Gpt-4o-2024-08-06")) {
            assertThat(call(BODY.replace("gpt-4o", model))).as(model).isEqualTo(429);
        }
    }

    @Test
    void operationsWithoutAModelAreHeldToTheList() {
        put(new JsonObject().put("models", List.of("GPT-4o*", "text-moderation*")));
        var chat = "{\"model\":\"gpt-4o\",\"input\":\"Hi\",\"tools\":[{\"type\":\"image_generation\"%s}]}";
        var refused = List.of(
                List.of("/openai/v1/moderations", "{\"input\":\"Hi\"}"),
                List.of("/openai/v1/moderations", "{\"input\":\"Hi\",\"model\":\"omni-moderation-latest\"}"),
                List.of("/openai/v1/images/generations", "{\"prompt\":\"a cat\"}"),
                List.of("/openai/v1/responses", chat.formatted("")),
                List.of("/openai/v1/responses", chat.formatted(",\"model\":\"gpt-image-1\"")),
                List.of("/openai/v1/responses/input_tokens", "{\"input\":\"Hi\"}"),
                List.of("/anthropic/v1/messages/count_tokens", "{\"model\":\"claude-opus-5\",\"messages\":[]}"),
                List.of("/gemini/v1beta/models/gemini-2.5-pro:countTokens", "{\"contents\":[]}"));
        for (var request : refused) {
            var response = http.post(request.get(0), request.get(1), "X-API-Key", ALICE);
            assertThat(response.statusCode()).as(request + response.body()).isEqualTo(403);
        }
        var unnamed = error(http.post("/openai/v1/images/generations", "{\"prompt\":\"a cat\"}", "X-API-Key", ALICE));
        assertThat(unnamed.getString("code")).isEqualTo("model_not_allowed");
        assertThat(unnamed.getString("message")).contains("must name each model");
        assertThat(openAi.requests()).isEmpty();
        http.post("/openai/v1/moderations", "{\"input\":\"Hi\",\"model\":\"text-moderation-latest\"}", "X-API-Key", ALICE);
        assertThat(openAi.requests()).hasSize(1);
    }

    @Test
    void refusalNamesTheLevel() {
        put(withLimits("{\"llm\":{\"requests\":\"1/hour\"}}"));
        assertThat(call(BODY)).isEqualTo(200);
        var denied = http.post(CHAT, BODY, "X-API-Key", ALICE);
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getJsonObject("details"))
                .isEqualTo(new JsonObject().put("identifier", "team:growth").put("resource", "llm"));
        assertThat(error(denied).getString("message")).contains("of team:growth: Limit 1");
        var anthropicDenied = http.post("/anthropic/v1/messages",
                "{\"model\":\"claude-opus-5\",\"max_tokens\":5,\"messages\":[]}", "X-API-Key", ALICE);
        assertThat(error(anthropicDenied).getJsonObject("details").getString("identifier")).isEqualTo("team:growth");
        var geminiDenied = http.post("/gemini/v1beta/models/gemini-2.5-pro:generateContent", "{\"contents\":[]}", "X-API-Key",
                ALICE);
        assertThat(geminiDenied.body()).contains("\"subject\":\"team:growth\"");
    }
}
