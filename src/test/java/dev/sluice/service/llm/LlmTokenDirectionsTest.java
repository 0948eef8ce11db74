package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.LlmDirectionsProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Limits of 1000 input tokens and of 300 output tokens an hour. */
@QuarkusTest
@TestProfile(LlmDirectionsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmTokenDirectionsTest extends LlmTestBase {

    private static final String USER = "wealthy";
    private static final String INPUT = "llm:openai:input-tokens";
    private static final String OUTPUT = "llm:openai:output-tokens";

    @ConfigProperty(name = "rate-limit.file")
    String rulesFile;

    private static String chat(String model, String more) {
        return "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" + more + "}";
    }

    private HttpResponse<String> post(String path, String body) {
        return http.post(path, body, "Authorization", "Bearer key-of-" + USER);
    }

    private void assertUsed(String provider, long input, long output) {
        awaitWindowUsage(USER, "llm:" + provider + ":input-tokens", input);
        awaitWindowUsage(USER, "llm:" + provider + ":output-tokens", output);
    }

    @Test
    void eachDirectionIsReservedAndSettled() {
        var gate = openAi.gate();
        openAi.usage(TokenUsage.of(30, 40));
        var body = chat("gpt-4o", ",\"max_tokens\":100");
        var response = CompletableFuture.supplyAsync(() -> post(CHAT, body));
        await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() == 1);
        assertUsed("openai", Estimates.chat(body), 100);
        gate.open();
        assertThat(response.join().statusCode()).isEqualTo(200);
        assertThat(header(response.join(), "RateLimit-Policy")).contains("\"" + INPUT + "\";q=1000;w=3600;qu=\"tokens\"",
                "\"" + OUTPUT + "\";q=300;w=3600;qu=\"tokens\"");
        assertUsed("openai", 30, 40);
        assertThat(admin.limits("user:" + USER).await().indefinitely()).containsOnlyKeys(INPUT, OUTPUT);
    }

    @Test
    void denialByOutputLeavesTheInput() {
        openAi.usage(TokenUsage.of(10, 300));
        post(CHAT, chat("gpt-4o", ",\"max_tokens\":10"));
        assertUsed("openai", 10, 300);
        var denied = post(CHAT, chat("gpt-4o", ",\"max_tokens\":20"));
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("type")).isEqualTo("tokens");
        assertThat(error(denied).getString("message"))
                .startsWith("Rate limit reached for output tokens per hour (OTPH): Limit 300, Used 300, Requested 20.")
                .endsWith("A call with a smaller maximum of output tokens requests less.");
        assertThat(header(denied, "X-RateLimit-Limit")).isEqualTo("300");
        assertUsed("openai", 10, 300);
        openAi.usage(TokenUsage.of(5, 0));
        assertThat(post("/openai/v1/embeddings", "{\"model\":\"text-embedding-3-small\",\"input\":\"Hi\"}").statusCode())
                .as("has no output").isEqualTo(200);
        assertUsed("openai", 15, 300);
    }

    @Test
    void denialByInputLeavesTheOutput() {
        openAi.usage(TokenUsage.of(1100, 5));
        var body = chat("gpt-4o", ",\"max_tokens\":20");
        post(CHAT, body);
        assertUsed("openai", 1100, 5);
        var denied = post(CHAT, body);
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getString("message"))
                .startsWith("Rate limit reached for input tokens per hour (ITPH): Limit 1000, Used 1000, Requested "
                        + Estimates.chat(body) + ".")
                .doesNotContain("smaller maximum");
        assertUsed("openai", 1100, 5);
    }

    /** Input includes what was read from the cache and written to it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cachedInputIsInput(boolean stream) {
        anthropic.usage(new TokenUsage(100, 60, 20, 0, 7));
        var response = http.post("/anthropic/v1/messages", chat("claude-haiku-4-5", ",\"max_tokens\":50,\"stream\":" + stream),
                "x-api-key", "key-of-" + USER, "anthropic-version", "2023-06-01");
        assertThat(response.statusCode()).isEqualTo(200);
        assertUsed("anthropic", 100, 7);
    }

    @Test
    void streamIsSettledByItsUsage() {
        openAi.usage(TokenUsage.of(30, 40));
        assertThat(post(CHAT, chat("gpt-4o", ",\"max_tokens\":100,\"stream\":true")).statusCode()).isEqualTo(200);
        assertUsed("openai", 30, 40);
    }

    @Test
    void interruptedStreamIsSettledAsEstimated() {
        openAi.cutNext(1, 3);
        var body = chat("gpt-4o", ",\"max_tokens\":100,\"stream\":true");
        try {
            post(CHAT, body);
        } catch (RuntimeException expected) { // the response is incomplete
        }
        await().atMost(60, TimeUnit.SECONDS).until(() -> ledger("user:" + USER, "openai").getLong("estimated_calls", 0L) == 1);
        assertUsed("openai", Estimates.chat(body), ledger("user:" + USER, "openai").getLong("output_tokens"));
    }

    @Test
    void failedCallIsReleased() {
        openAi.failNext(1, 500);
        assertThat(post(CHAT, chat("gpt-4o", ",\"max_tokens\":100")).statusCode()).isEqualTo(500);
        assertUsed("openai", 0, 0);
    }

    @Test
    void callInTheBackgroundIsSettledWhenItsEndIsReported() {
        var state = new JsonObject().put("id", "resp_directions").put("object", "response").put("model", "gpt-4o");
        openAi.respondNext(1, 200, state.copy().put("status", "queued").putNull("usage").encode());
        var body = "{\"model\":\"gpt-4o\",\"input\":\"x\",\"max_output_tokens\":90,\"background\":true}";
        assertThat(post("/openai/v1/responses", body).statusCode()).isEqualTo(200);
        assertThat(windowUsage(USER, OUTPUT)).isEqualTo(90);
        openAi.respondNext(1, 200, state.put("status", "completed")
                .put("usage", new JsonObject().put("input_tokens", 11).put("output_tokens", 22)).encode());
        assertThat(http.get("/openai/v1/responses/resp_directions", "Authorization", "Bearer key-of-" + USER).statusCode())
                .isEqualTo(200);
        assertUsed("openai", 11, 22);
    }

    @Test
    void ruleOfAModelReplacesTheProvidersForItsDirection() {
        openAi.usage(TokenUsage.of(30, 45));
        assertThat(post(CHAT, chat("gpt-4o-mini-2024-07-18", ",\"max_tokens\":10")).statusCode()).isEqualTo(200);
        awaitWindowUsage(USER, OUTPUT + "/gpt-4o-mini", 45);
        awaitWindowUsage(USER, INPUT, 30);
        assertThat(windowUsage(USER, OUTPUT)).isZero();
        assertThat(post(CHAT, chat("gpt-4o-mini", ",\"max_tokens\":10")).statusCode()).isEqualTo(429);
        assertThat(post(CHAT, chat("gpt-4o", ",\"max_tokens\":10")).statusCode()).isEqualTo(200);
    }

    // decisions for calls that do not pass through the gateway

    private static JsonObject call() {
        return new JsonObject().put("provider", "openai").put("identifier", "u").put("tier", "wealthy").put("model", "gpt-4o");
    }

    private HttpResponse<String> report(int input, int output, String reservation) {
        var response = http.post("/v1/llm/usage", call().put("input_tokens", input).put("output_tokens", output)
                .put("cached_input_tokens", 3).put("reservation", reservation).encode());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
        return response;
    }

    private void assertUsedByProgram(long input, long output) {
        await().atMost(60, TimeUnit.SECONDS).untilAsserted(() -> assertThat(admin.limits("u").await().indefinitely())
                .containsEntry(INPUT, input).containsEntry(OUTPUT, output));
    }

    @Test
    void checkReservesBothDirectionsAndUsageSettlesThem() {
        var allowed = http.post("/v1/llm/check", call().put("tokens", 250).encode());
        assertThat(allowed.statusCode()).isEqualTo(200);
        assertUsedByProgram(250, 250);
        var denied = http.post("/v1/llm/check", call().put("tokens", 51).encode());
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(error(denied).getJsonObject("details").getInteger("limit")).isEqualTo(300);
        assertThat(error(denied).getJsonObject("details").getString("unit")).isEqualTo("tokens");
        report(80, 20, json(allowed).getString("reservation"));
        assertUsedByProgram(80, 20);
    }

    @Test
    void usageWithoutAReservationIsCountedBeyondTheLimits() {
        report(700, 200, null);
        report(700, 200, null);
        assertUsedByProgram(1400, 400);
        assertThat(http.post("/v1/llm/check", call().put("tokens", 1).encode()).statusCode()).isEqualTo(429);
    }

    // rules

    private JsonObject rule(String resource) {
        var rules = json(http.get("/v1/rules", "Authorization", LlmProfile.ADMIN_AUTHORIZATION)).getJsonArray("llm",
                new JsonArray());
        return rules.stream().map(JsonObject.class::cast).filter(rule -> rule.getString("resource").equals(resource))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void rulesAreListedAndReloaded() throws IOException {
        assertThat(rule(INPUT).getJsonObject("rates").getString("wealthy")).isEqualTo("1000/hour");
        assertThat(rule(INPUT).getJsonObject("rates").getString("free")).isEqualTo("unlimited");
        assertThat(rule(INPUT).getString("source")).isEqualTo("settings");
        assertThat(rule(OUTPUT + "/gpt-4o-mini").getJsonObject("rates").getString("wealthy")).isEqualTo("50/hour");
        var output = "llm:gemini:output-tokens";
        assertThat(rule(output).getJsonObject("rates").getString("wealthy")).isEqualTo("200/hour");
        assertThat(rule(output).getString("source")).endsWith("rules.yaml:1");
        Files.writeString(Path.of(rulesFile), "llm: {gemini: {output-tokens: {wealthy: 77/hour}}}\n");
        try {
            await().atMost(60, TimeUnit.SECONDS)
                    .until(() -> rule(output).getJsonObject("rates").getString("wealthy").equals("77/hour"));
            var response = http.post("/gemini/v1beta/models/gemini-2.5-flash:generateContent",
                    "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}],\"generationConfig\":{\"maxOutputTokens\":70}}",
                    "x-goog-api-key", "key-of-" + USER);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("77");
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo("7");
        } finally {
            Files.writeString(Path.of(rulesFile), LlmDirectionsProfile.RULES);
            await().atMost(60, TimeUnit.SECONDS)
                    .until(() -> rule(output).getJsonObject("rates").getString("wealthy").equals("200/hour"));
        }
    }
}
