package dev.sluice.testing.llm;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import com.anthropic.errors.UnauthorizedException;
import com.google.genai.errors.ApiException;
import com.openai.errors.RateLimitException;

import dev.sluice.llm.protocol.TokenUsage;

/** Verifies that the official SDKs accept the stubs' responses. */
class SdksAgainstStubsTest {

    private static final String KEY = "key-of-the-stub";
    private static final TokenUsage USAGE = new TokenUsage(1000, 300, 200, 50, 70);

    private final OpenAiStub openAi = new OpenAiStub();
    private final AnthropicStub anthropic = new AnthropicStub();
    private final GeminiStub gemini = new GeminiStub();
    private final OpenAiSdk openAiSdk = new OpenAiSdk(openAi.baseUrl() + "/v1", KEY, 0);
    private final AnthropicSdk anthropicSdk = new AnthropicSdk(anthropic.baseUrl(), KEY, 0);
    private final GeminiSdk geminiSdk = new GeminiSdk(gemini.baseUrl(), KEY, 0);
    private final LangChain4jSdk langChain4j = new LangChain4jSdk(openAi.baseUrl() + "/v1", KEY, 0);

    SdksAgainstStubsTest() {
        for (var stub : new ProviderStub[]{openAi, anthropic, gemini}) {
            stub.expectKey(KEY);
            stub.usage(USAGE);
            stub.reasoning(20);
        }
    }

    @AfterEach
    void close() {
        openAiSdk.close();
        anthropicSdk.close();
        geminiSdk.close();
        openAi.close();
        anthropic.close();
        gemini.close();
    }

    @Test
    void openAiChat() {
        assertThat(openAiSdk.chat("gpt-4o", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAi.lastRequest().uri()).isEqualTo("/v1/chat/completions");
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + KEY);
        assertThat(openAi.lastRequest().json().getString("model")).isEqualTo("gpt-4o");
        assertThat(openAiSdk.streamChat("gpt-4o", "Hi", true))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAiSdk.streamChat("gpt-4o", "Hi", false)).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 0, 0, 0));
        await().atMost(60, TimeUnit.SECONDS).until(() -> openAi.completedResponses() == 3);
    }

    @Test
    void openAiResponsesApi() {
        assertThat(openAiSdk.createResponse("gpt-5", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAiSdk.streamResponse("gpt-5", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        openAi.finalStatus("incomplete");
        assertThat(openAiSdk.streamResponse("gpt-5", "Hi").output()).isEqualTo(70);
        openAi.finalStatus("failed");
        assertThat(openAiSdk.streamResponse("gpt-5", "Hi").output()).isEqualTo(70);
    }

    @Test
    void openAiEmbeddingsAndModels() {
        assertThat(openAiSdk.embed("text-embedding-3-small", "Hi")).isEqualTo(new SdkResult("[0.25, -0.5, 0.125]", 1000, 0, 0));
        assertThat(openAiSdk.models()).isEqualTo("gpt-4o");
    }

    @Test
    void openAiRateLimit() {
        openAi.denyNext(1, 7);
        assertThatThrownBy(() -> openAiSdk.chat("gpt-4o", "Hi")).isInstanceOfSatisfying(RateLimitException.class,
                denied -> assertThat(denied.headers().values("retry-after")).containsExactly("7"));
        openAi.denyNext(1, 0);
        try (var patient = new OpenAiSdk(openAi.baseUrl() + "/v1", KEY, 2)) {
            assertThat(patient.chat("gpt-4o", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        }
        try (var stranger = new OpenAiSdk(openAi.baseUrl() + "/v1", "another", 0)) {
            assertThatThrownBy(() -> stranger.chat("gpt-4o", "Hi"))
                    .isInstanceOf(com.openai.errors.UnauthorizedException.class);
        }
    }

    @Test
    void anthropicMessages() {
        assertThat(anthropicSdk.createMessage("claude-haiku-4-5", "Hi"))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 500, 300, 70));
        assertThat(anthropic.lastRequest().uri()).isEqualTo("/v1/messages");
        assertThat(anthropic.lastRequest().header("X-Api-Key")).isEqualTo(KEY);
        assertThat(anthropicSdk.streamMessage("claude-haiku-4-5", "Hi"))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 500, 300, 70));
        assertThat(anthropicSdk.countTokens("claude-haiku-4-5", "Hi")).isEqualTo(1000);
    }

    @Test
    void anthropicDenies() {
        anthropic.denyNext(1, 7);
        assertThatThrownBy(() -> anthropicSdk.createMessage("claude-haiku-4-5", "Hi"))
                .isInstanceOf(com.anthropic.errors.RateLimitException.class);
        anthropic.failNext(1, 529);
        assertThatThrownBy(() -> anthropicSdk.streamMessage("claude-haiku-4-5", "Hi"))
                .isInstanceOf(com.anthropic.errors.InternalServerException.class);
        try (var stranger = new AnthropicSdk(anthropic.baseUrl(), "another", 0)) {
            assertThatThrownBy(() -> stranger.createMessage("claude-haiku-4-5", "Hi"))
                    .isInstanceOf(UnauthorizedException.class);
        }
    }

    @Test
    void geminiContent() {
        assertThat(geminiSdk.generate("gemini-2.5-flash", "Hi"))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 50));
        assertThat(gemini.lastRequest().uri()).isEqualTo("/v1beta/models/gemini-2.5-flash:generateContent");
        assertThat(gemini.lastRequest().header("x-goog-api-key")).isEqualTo(KEY);
        assertThat(geminiSdk.generateStream("gemini-2.5-flash", "Hi"))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 50));
        assertThat(gemini.lastRequest().uri()).isEqualTo("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
        assertThat(geminiSdk.embed("gemini-embedding-001", "Hi").text()).isEqualTo("[0.25, -0.5, 0.125]");
        assertThat(geminiSdk.countTokens("gemini-2.5-flash", "Hi")).isEqualTo(1000);
    }

    @Test
    void geminiRateLimit() {
        gemini.denyNext(1, 7);
        assertThatThrownBy(() -> geminiSdk.generate("gemini-2.5-flash", "Hi")).isInstanceOfSatisfying(ApiException.class,
                denied -> {
                    assertThat(denied.code()).isEqualTo(429);
                    assertThat(denied.message()).contains("Too many requests to the stub.");
                });
        try (var stranger = new GeminiSdk(gemini.baseUrl(), "another", 0)) {
            assertThatThrownBy(() -> stranger.generate("gemini-2.5-flash", "Hi")).isInstanceOfSatisfying(ApiException.class,
                    denied -> assertThat(denied.code()).isEqualTo(401));
        }
    }

    @Test
    void langChain4jChat() {
        assertThat(langChain4j.chat("gpt-4o", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(langChain4j.streamChat("gpt-4o", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
    }

    @Test
    void compressedResponses() {
        openAi.gzip();
        anthropic.gzip();
        gemini.gzip();
        assertThat(openAiSdk.chat("gpt-4o", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(openAiSdk.streamChat("gpt-4o", "Hi", true).output()).isEqualTo(70);
        assertThat(openAiSdk.streamResponse("gpt-5", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(anthropicSdk.streamMessage("claude-haiku-4-5", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(geminiSdk.generateStream("gemini-2.5-flash", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(openAi.lastRequest().header("accept-encoding")).contains("gzip");
    }
}
