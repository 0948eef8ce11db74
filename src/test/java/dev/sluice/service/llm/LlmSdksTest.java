package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.anthropic.errors.AnthropicServiceException;
import com.google.genai.errors.ApiException;
import com.openai.errors.OpenAIServiceException;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.AnthropicSdk;
import dev.sluice.testing.llm.GeminiSdk;
import dev.sluice.testing.llm.LangChain4jSdk;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.OpenAiSdk;
import dev.sluice.testing.llm.ProviderStub;
import dev.sluice.testing.llm.ProvidersForTests;
import dev.sluice.testing.llm.SdkResult;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Official SDKs through the gateway: requests, responses, limits and recorded usage. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmSdksTest extends LlmTestBase {

    private static final TokenUsage USAGE = new TokenUsage(1000, 300, 200, 50, 70);

    private OpenAiSdk openAiSdk;
    private AnthropicSdk anthropicSdk;
    private GeminiSdk geminiSdk;
    private LangChain4jSdk langChain4j;

    @BeforeEach
    void open() {
        connectAs("wealthy", 0);
        openAi.usage(USAGE);
        anthropic.usage(USAGE);
        gemini.usage(USAGE);
        gemini.reasoning(20);
    }

    private void connectAs(String user, int retries) {
        close();
        var base = "http://localhost:" + port;
        var key = "key-of-" + user;
        openAiSdk = new OpenAiSdk(base + "/openai/v1", key, retries);
        anthropicSdk = new AnthropicSdk(base + "/anthropic", key, retries);
        geminiSdk = new GeminiSdk(base + "/gemini", key, retries);
        langChain4j = new LangChain4jSdk(base + "/openai/v1", key, retries);
    }

    @AfterEach
    void close() {
        if (openAiSdk != null) {
            openAiSdk.close();
            anthropicSdk.close();
            geminiSdk.close();
        }
    }

    @Test
    void openAiChatCompletions() {
        assertThat(openAiSdk.chat("gpt-4o", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAiSdk.streamChat("gpt-4o", "Hi", true))
                .isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        var chunked = openAiSdk.streamChat("gpt-4o-2024-11-20", "Hi", false);
        assertThat(chunked).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 0, 0, 0));
        var account = ledger("user:wealthy", "openai");
        assertThat(account.getLong("calls")).isEqualTo(3);
        assertThat(account.getLong("input_tokens")).isEqualTo(3000);
        assertThat(account.getLong("cached_input_tokens")).isEqualTo(900);
        assertThat(account.getLong("output_tokens")).isEqualTo(210);
        assertThat(account.getLong("estimated_calls")).isZero();
        // 700 x 2.50 + 300 x 1.25 + 70 x 10 a million, three times
        assertThat(account.getString("cost_usd")).isEqualTo("0.008475");
        assertThat(account.getJsonObject("models").getJsonObject("gpt-4o").getString("cost_usd")).isEqualTo("0.00565");
        assertThat(account.getJsonObject("models").getJsonObject("gpt-4o-2024-11-20").getLong("calls")).isEqualTo(1);
    }

    @Test
    void openAiResponsesAndEmbeddings() {
        assertThat(openAiSdk.createResponse("gpt-5", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAiSdk.streamResponse("gpt-5", "Hi")).isEqualTo(new SdkResult(ProviderStub.DEFAULT_TEXT, 1000, 300, 70));
        assertThat(openAiSdk.embed("text-embedding-3-small", "Hi").input()).isEqualTo(1000);
        assertThat(openAiSdk.models()).isEqualTo("gpt-4o");
        var account = ledger("user:wealthy", "openai");
        assertThat(account.getLong("calls")).isEqualTo(3);
        // twice 700 x 1.25 + 300 x .125 + 70 x 10, and 1000 x .02
        assertThat(account.getString("cost_usd")).isEqualTo("0.003245");
    }

    @Test
    void langChain4jChatCompletions() {
        assertThat(langChain4j.chat("gpt-4o", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(langChain4j.streamChat("gpt-4o", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(ledger("user:wealthy", "openai").getString("cost_usd")).isEqualTo("0.00565");
    }

    @Test
    void anthropicMessages() {
        var plain = anthropicSdk.createMessage("claude-sonnet-4-5", "Hi");
        assertThat(plain.text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(anthropicSdk.streamMessage("claude-sonnet-4-5-20250929", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(anthropicSdk.countTokens("claude-sonnet-4-5", "Hi")).isPositive();
        var account = ledger("user:wealthy", "anthropic");
        assertThat(account.getLong("calls")).isEqualTo(2);
        assertThat(account.getLong("input_tokens")).isEqualTo(2000);
        assertThat(account.getLong("cached_input_tokens")).isEqualTo(600);
        assertThat(account.getLong("cache_write_input_tokens")).isEqualTo(400);
        assertThat(account.getLong("output_tokens")).isEqualTo(140);
        // twice 500 x 3 + 300 x .30 + 150 x 3.75 + 50 x 6 + 70 x 15
        assertThat(account.getString("cost_usd")).isEqualTo("0.007005");
    }

    @Test
    void geminiGenerateContent() {
        assertThat(geminiSdk.generate("gemini-2.5-flash", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(geminiSdk.generateStream("gemini-2.5-flash", "Hi").text()).isEqualTo(ProviderStub.DEFAULT_TEXT);
        assertThat(geminiSdk.countTokens("gemini-2.5-flash", "Hi")).isPositive();
        var account = ledger("user:wealthy", "gemini");
        assertThat(account.getLong("calls")).isEqualTo(2);
        assertThat(account.getLong("input_tokens")).isEqualTo(2000);
        assertThat(account.getLong("output_tokens")).isEqualTo(140);
        // twice 700 x .30 + 300 x .03 + 70 x 2.50
        assertThat(account.getString("cost_usd")).isEqualTo("0.000788");
        geminiSdk.embed("gemini-embedding-001", "Hi");
        assertThat(ledger("user:wealthy", "gemini").getLong("estimated_calls")).isEqualTo(1);
    }

    @Test
    void openAiSdkReportsDenialAsRateLimitError() {
        connectAs("free", 2);
        for (int i = 0; i < 3; i++) {
            openAiSdk.chat("gpt-4o", "Hi");
        }
        openAi.reset();
        connectAs("free", 0);
        assertThatThrownBy(() -> openAiSdk.chat("gpt-4o", "Hi"))
                .isInstanceOfSatisfying(com.openai.errors.RateLimitException.class, denied -> {
                    assertThat(denied.code()).contains("rate_limit_exceeded");
                    assertThat(denied.type()).contains("requests");
                    assertThat(denied.getMessage())
                            .contains("Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.");
                    assertThat(Long.parseLong(denied.headers().values("retry-after").get(0))).isBetween(1L, 60L);
                    assertThat(Long.parseLong(denied.headers().values("retry-after-ms").get(0))).isBetween(1L, 60_000L);
                    assertThat(denied.headers().values("x-ratelimit-limit")).containsExactly("3");
                });
        assertThat(openAi.requests()).isEmpty();
        assertThat(ledger("user:free", "openai").getLong("calls")).isEqualTo(3);
    }

    @Test
    void anthropicAndGeminiSdksReportDenialAsRateLimitError() {
        connectAs("free", 0);
        for (int i = 0; i < 5; i++) {
            anthropicSdk.createMessage("claude-haiku-4-5", "Hi");
        }
        assertThatThrownBy(() -> anthropicSdk.createMessage("claude-haiku-4-5", "Hi"))
                .isInstanceOf(com.anthropic.errors.RateLimitException.class).hasMessageContaining("rate_limit_error");
        for (int i = 0; i < 15; i++) {
            geminiSdk.generate("gemini-2.5-flash", "Hi");
        }
        assertThatThrownBy(() -> geminiSdk.generate("gemini-2.5-flash", "Hi")).isInstanceOfSatisfying(ApiException.class,
                denied -> {
                    assertThat(denied.code()).isEqualTo(429);
                    assertThat(denied.message()).contains("requests per min (RPM): Limit 15");
                });
        assertThat(anthropic.requests()).hasSize(5);
        assertThat(gemini.requests()).hasSize(15);
    }

    @Test
    void sdksDoNotRetryWhenTheBudgetIsExhausted() {
        connectAs("money", 2);
        anthropicSdk.createMessage("claude-opus-4-1", "Hi"); // 1000 and 70 tokens at 15 and 75 dollars per million: more than a cent
        assertThatThrownBy(() -> anthropicSdk.createMessage("claude-opus-4-1", "Hi"))
                .isInstanceOfSatisfying(AnthropicServiceException.class, denied -> {
                    assertThat(denied.statusCode()).isEqualTo(429);
                    assertThat(denied.headers().values("x-should-retry")).containsExactly("false");
                    assertThat(denied.getMessage()).contains("US dollars per day").contains("Limit $0.01");
                });
        assertThat(anthropic.requests()).hasSize(1);
        assertThat(windowUsage("money", "llm:anthropic:budget")).isEqualTo(17_512_500L);
    }

    @Test
    void sdksReportInvalidKeysAsAuthenticationErrors() {
        connectAs("nobody", 0);
        assertThatThrownBy(() -> openAiSdk.chat("gpt-4o", "Hi")).isInstanceOf(com.openai.errors.UnauthorizedException.class);
        assertThatThrownBy(() -> anthropicSdk.createMessage("claude-haiku-4-5", "Hi"))
                .isInstanceOf(com.anthropic.errors.UnauthorizedException.class);
        assertThatThrownBy(() -> geminiSdk.generate("gemini-2.5-flash", "Hi")).isInstanceOfSatisfying(ApiException.class,
                denied -> assertThat(denied.code()).isEqualTo(401));
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void providerErrorsReachTheSdk() {
        openAi.failNext(1, 500);
        assertThatThrownBy(() -> openAiSdk.chat("gpt-4o", "Hi")).isInstanceOfSatisfying(OpenAIServiceException.class,
                failed -> assertThat(failed.statusCode()).isEqualTo(500));
        openAi.denyNext(1, 7);
        assertThatThrownBy(() -> openAiSdk.chat("gpt-4o", "Hi"))
                .isInstanceOfSatisfying(com.openai.errors.RateLimitException.class,
                        denied -> assertThat(denied.headers().values("retry-after")).containsExactly("7"));
        assertThat(ledger("user:wealthy")).isEmpty();
    }
}
