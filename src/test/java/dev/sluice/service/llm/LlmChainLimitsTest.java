package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.directory.IdentityKind;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
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
