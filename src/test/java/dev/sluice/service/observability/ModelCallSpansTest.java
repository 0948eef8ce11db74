package dev.sluice.service.observability;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.service.llm.LlmTestBase;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.OtlpCollector;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.SpanRecorder;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Names of spans, and what those of model calls say, by OpenTelemetry's conventions. */
@QuarkusTest
@TestProfile(ModelCallSpansTest.Profile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(EchoUpstream.class)
@WithTestResource(OtlpCollector.class)
class ModelCallSpansTest extends LlmTestBase {

    private static final String MESSAGES = "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":50,"
            + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    /** Tracing, providers and an upstream. */
    public static class Profile extends LlmProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = super.getConfigOverrides();
            settings.put("rate-limit.tracing", "true");
            settings.put("rate-limit.check.open", "true");
            settings.put("rate-limit.endpoints.\"/orders/{id}\".free", "100/minute");
            settings.put("rate-limit.endpoints.\"POST /orders\".free", "100/minute");
            return settings;
        }
    }

    @Inject
    SpanRecorder spans;

    @BeforeEach
    void clear() {
        spans.ended().clear();
    }

    /** Waits for the only span, without those of the queries of the ledger, which other methods send. */
    private SpanData only() {
        await().until(() -> !ended().isEmpty());
        assertThat(ended()).hasSize(1);
        return ended().get(0);
    }

    private List<SpanData> ended() {
        return spans.ended().stream().filter(span -> !span.getName().equals("GET /v1/llm/usage")).toList();
    }

    private static String text(SpanData span, String name) {
        return span.getAttributes().get(AttributeKey.stringKey(name));
    }

    private static Long number(SpanData span, String name) {
        return span.getAttributes().get(AttributeKey.longKey(name));
    }

    private static Double cost(SpanData span) {
        return span.getAttributes().get(AttributeKey.doubleKey("sluice.cost_usd"));
    }

    private SpanData afterCall(String path, String body) {
        var response = http.post(path, body, "Authorization", "Bearer key-of-pro", "anthropic-version", "2023-06-01");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return only();
    }

    private static void assertUsage(SpanData span, String model) {
        assertThat(text(span, "gen_ai.request.model")).isEqualTo(model);
        assertThat(text(span, "gen_ai.response.model")).isNotBlank();
        assertThat(number(span, "gen_ai.usage.input_tokens")).isPositive();
        assertThat(number(span, "gen_ai.usage.output_tokens")).isPositive();
        assertThat(cost(span)).isPositive();
    }

    @Test
    void callHasModelTokensAndCost() {
        var span = afterCall("/openai/v1/chat/completions",
                "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        assertThat(span.getName()).isEqualTo("POST /openai/v1/chat/completions");
        assertThat(text(span, "http.route")).isEqualTo("/openai/v1/chat/completions");
        assertThat(text(span, "gen_ai.provider.name")).isEqualTo("openai");
        assertThat(text(span, "gen_ai.operation.name")).isEqualTo("chat");
        assertUsage(span, "gpt-4o");
        var booked = ledger("user:pro", "openai");
        assertThat(number(span, "gen_ai.usage.input_tokens")).isEqualTo(booked.getLong("input_tokens"));
        assertThat(number(span, "gen_ai.usage.output_tokens")).isEqualTo(booked.getLong("output_tokens"));
        assertThat(cost(span)).isEqualTo(Double.parseDouble(booked.getString("cost_usd")));
    }

    @Test
    void streamedCallHasItsTokensToo() {
        var span = afterCall("/openai/v1/chat/completions",
                "{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        assertUsage(span, "gpt-4o");
    }

    @Test
    void providersHaveTheirConventionalNames() {
        var anthropicSpan = afterCall("/anthropic/v1/messages", MESSAGES);
        assertThat(text(anthropicSpan, "gen_ai.provider.name")).isEqualTo("anthropic");
        assertThat(anthropicSpan.getName()).isEqualTo("POST /anthropic/v1/messages");
        spans.ended().clear();

        var geminiSpan = afterCall("/gemini/v1beta/models/gemini-2.5-flash:generateContent",
                "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");
        assertThat(geminiSpan.getName()).isEqualTo("POST /gemini/v1beta/models/{model}:generateContent");
        assertThat(text(geminiSpan, "gen_ai.provider.name")).isEqualTo("gcp.gemini");
        assertThat(text(geminiSpan, "gen_ai.operation.name")).isEqualTo("generate_content");
        assertThat(text(geminiSpan, "gen_ai.request.model")).isEqualTo("gemini-2.5-flash");
        assertThat(number(geminiSpan, "gen_ai.usage.output_tokens")).isPositive();
    }

    @Test
    void callWithoutAPriceHasNoCost() {
        var span = afterCall("/openai/v1/chat/completions", "{\"model\":\"nobody-knows-me\",\"messages\":[]}");
        assertThat(number(span, "gen_ai.usage.input_tokens")).isPositive();
        assertThat(cost(span)).isNull();
    }

    @Test
    void refusedCallHasNoTokens() {
        http.post("/openai/v1/chat/completions", "{\"model\":\"gpt-4o\",\"messages\":[]}", "Authorization", "Bearer wrong");
        var span = only();
        assertThat(number(span, "http.response.status_code")).isEqualTo(401);
        assertThat(number(span, "gen_ai.usage.input_tokens")).isNull();
        assertThat(text(span, "gen_ai.provider.name")).isNull();
    }

    @Test
    void unknownPathsAreOneRoute() {
        http.get("/openai/v1/files/some-name", "Authorization", "Bearer key-of-pro");
        assertThat(only().getName()).isEqualTo("GET /openai/{path}");
    }

    @Test
    void forwardedRequestIsNamedByItsRule() {
        http.get("/api/v1/orders/17");
        assertThat(only().getName()).isEqualTo("GET /orders/{id}");
        spans.ended().clear();
        http.post("/orders", "{}");
        assertThat(only().getName()).isEqualTo("POST /orders");
        spans.ended().clear();
        http.get("/something/else");
        assertThat(only().getName()).isEqualTo("GET");
        assertThat(only().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    }

    @Test
    void ownEndpointsAreNamedByTheirPaths() {
        http.post("/v1/check", "{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"1/minute\"}");
        assertThat(only().getName()).isEqualTo("POST /v1/check");
        spans.ended().clear();
        http.get("/v1/limits?identifier=a", "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(only().getName()).isEqualTo("GET /v1/limits");
    }
}
