package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjIntConsumer;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;

import dev.sluice.redis.RedisProvider;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.llm.AnthropicStub;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.GeminiStub;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.OpenAiStub;
import dev.sluice.testing.llm.ProvidersForTests;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Base class of tests of LLM calls; each test begins with an empty ledger and stubs without recorded requests. */
public abstract class LlmTestBase extends HttpTestBase {

    static final String CHAT = "/openai/v1/chat/completions";

    @Inject
    RedisProvider redis;

    @Inject
    MeterRegistry meters;

    final OpenAiStub openAi = ProvidersForTests.openAi();
    final AnthropicStub anthropic = ProvidersForTests.anthropic();
    final GeminiStub gemini = ProvidersForTests.gemini();

    @BeforeEach
    void reset() {
        Estimates.load();
        openAi.reset();
        anthropic.reset();
        gemini.reset();
        openAi.expectKey(LlmProfile.OPENAI_KEY);
        anthropic.expectKey(LlmProfile.ANTHROPIC_KEY);
        gemini.expectKey(LlmProfile.GEMINI_KEY);
        for (var user : LlmProfile.USERS) {
            ledger("user:" + user); // flushes buffered entries of the previous test
        }
        if (redis.connectionManager() != null) {
            await().atMost(60, TimeUnit.SECONDS).until(() -> meters.get("llm_ledger_waiting").gauge().value() == 0);
            redis.connectionManager().send(Request.cmd(Command.FLUSHALL)).toCompletionStage().toCompletableFuture().join();
        }
    }

    /** Returns the ledger usage of an identifier. */
    JsonObject ledger(String identifier) {
        var response = http.get("/v1/llm/usage?identifier=" + URLEncoder.encode(identifier, StandardCharsets.UTF_8),
                "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response).getJsonObject("providers");
    }

    /** Returns the usage of one provider; an empty object if there is none. */
    protected JsonObject ledger(String identifier, String provider) {
        return ledger(identifier).getJsonObject(provider, new JsonObject());
    }

    /** Returns the units in a user's window. */
    long windowUsage(String user, String resource) {
        return admin.limits("user:" + user).await().indefinitely().getOrDefault(resource, 0L);
    }

    /** Waits until a user's window has these units: calls are settled after their response has ended. */
    void awaitWindowUsage(String user, String resource, long units) {
        await().atMost(60, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(windowUsage(user, resource)).isEqualTo(units));
    }

    /**
     * Sends calls that exceed the limits, and asserts that all of them are forwarded and recorded, but none with a wrong key.
     *
     * @param verification verifies a response, given the number of the call from 0
     */
    void assertCallsForwardedAndRecorded(ObjIntConsumer<HttpResponse<String>> verification) {
        for (int i = 0; i < 5; i++) {
            var response = http.post(CHAT, "{\"model\":\"gpt-4o\",\"messages\":[]}", "Authorization", "Bearer key-of-free");
            assertThat(response.statusCode()).isEqualTo(200);
            verification.accept(response, i);
        }
        assertThat(ledger("user:free", "openai").getLong("calls")).isEqualTo(5);
        assertThat(ledger("user:free", "openai").getLong("input_tokens")).isEqualTo(60);
        var unpriced = http.post(CHAT, "{\"model\":\"nobody-knows-me\",\"messages\":[]}", "Authorization",
                "Bearer key-of-money");
        assertThat(unpriced.statusCode()).isEqualTo(200);
        assertThat(ledger("user:money", "openai").getLong("unpriced_calls")).isEqualTo(1);
        assertThat(http.post(CHAT, "{}", "Authorization", "Bearer wrong").statusCode()).isEqualTo(401);
    }
}
