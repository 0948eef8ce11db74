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
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.identity.Sha256;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.llm.OpenAiStub;
import io.vertx.core.json.JsonObject;

/** The packaged program with LLM settings: validation, start without Redis, loss and return of Redis. */
@Execution(ExecutionMode.CONCURRENT)
class LlmStartupIT {

    private static final String CHAT = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private final OpenAiStub openAi = new OpenAiStub();

    @BeforeEach
    void configureStub() {
        openAi.expectKey("sk-of-sluice");
        openAi.usage(TokenUsage.of(100, 20));
    }

    @AfterEach
    void close() {
        openAi.close();
    }

    private Instance start(String... more) {
        var environment = new HashMap<>(Map.of("RATE_LIMIT_LLM_OPENAI_BASE_URL", openAi.baseUrl() + "/v1",
                "RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice", "RATE_LIMIT_API_KEYS_ALICE_SHA256", Sha256.hex("alice-key"),
                "RATE_LIMIT_API_KEYS_ALICE_USER", "alice", "RATE_LIMIT_API_KEYS_ALICE_TIER", "pro", "RATE_LIMIT_ADMIN_TOKEN",
                "admin"));
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return Instance.start(environment);
    }

    private static HttpResponse<String> chat(Instance sluice) {
        return new HttpTestClient(sluice.port()).post("/openai/v1/chat/completions", CHAT, "Authorization", "Bearer alice-key");
    }

    private static HttpResponse<String> ledger(Instance sluice) {
        return new HttpTestClient(sluice.port()).get("/v1/llm/usage?identifier=user:alice", "Authorization", "Bearer admin");
    }

    private static JsonObject openAi(Instance sluice) {
        return json(ledger(sluice)).getJsonObject("providers").getJsonObject("openai", new JsonObject());
    }

    @Test
    void ledgerIsInMemoryWithoutRedis() {
        try (var sluice = start("REDIS_ENABLED", "false", "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO", "2/minute")) {
            assertThat(chat(sluice).statusCode()).isEqualTo(200);
            assertThat(chat(sluice).statusCode()).isEqualTo(200);
            assertThat(chat(sluice).statusCode()).isEqualTo(429);
            assertThat(openAi(sluice).getString("cost_usd")).isEqualTo("0.0009");
            assertThat(header(ledger(sluice), "X-RateLimit-Mode")).isNull();
            var metrics = new HttpTestClient(sluice.managementPort()).get("/q/metrics").body();
            assertThat(metrics).contains("llm_calls_total{model=\"gpt-4o\",outcome=\"ok\",provider=\"openai\"} 2.0")
                    .contains("llm_calls_total{model=\"gpt-4o\",outcome=\"denied\",provider=\"openai\"} 1.0")
                    .contains("llm_tokens_total{model=\"gpt-4o\",provider=\"openai\",type=\"input\"} 200.0")
                    .contains("llm_cost_usd_total{model=\"gpt-4o\",provider=\"openai\"} 9.0E-4").doesNotContain("alice");
        }
    }

    @Test
    void disabledLimitsStillRecordCalls() {
        try (var sluice = start("REDIS_ENABLED", "false", "RATE_LIMIT_ENABLED", "false", "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO",
                "1/minute", "RATE_LIMIT_LLM_OPENAI_BUDGET_PRO", "0.000001/day")) {
            for (int i = 0; i < 3; i++) {
                assertThat(chat(sluice).statusCode()).isEqualTo(200);
            }
            assertThat(openAi(sluice).getLong("calls")).isEqualTo(3);
        }
    }

    @Test
    void dryRunDeniesNothingAndRecordsCalls() {
        try (var sluice = start("REDIS_ENABLED", "false", "RATE_LIMIT_DRY_RUN", "true", "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO",
                "1/minute")) {
            assertThat(header(chat(sluice), "X-RateLimit-Dry-Run")).isNull();
            var over = chat(sluice);
            assertThat(over.statusCode()).isEqualTo(200);
            assertThat(header(over, "X-RateLimit-Dry-Run")).isEqualTo("denied");
            assertThat(openAi(sluice).getLong("calls")).isEqualTo(2);
        }
    }

    @Test
    void closedFallbackIsReportedAsProviderError() {
        try (var sluice = start("REDIS_PORT", Integer.toString(FreePorts.next()), "RATE_LIMIT_FALLBACK", "closed")) {
            var response = chat(sluice);
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(error(response).getString("type")).isEqualTo("server_error");
            assertThat(openAi.requests()).isEmpty();
        }
    }

    @Test
    void ledgerSurvivesAnOutageOfRedis() {
        var redis = RedisTestServer.start();
        int port = redis.port();
        try (var sluice = start("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(port),
                "RATE_LIMIT_LLM_OPENAI_TOKENS_PRO", "1000/day")) {
            assertThat(chat(sluice).statusCode()).isEqualTo(200);
            assertThat(openAi(sluice).getLong("calls")).isEqualTo(1);
            redis.close();
            for (int i = 0; i < 3; i++) {
                var during = chat(sluice);
                assertThat(during.statusCode()).isEqualTo(200);
                assertThat(header(during, "X-RateLimit-Mode")).isEqualTo("local");
            }
            var waiting = ledger(sluice);
            assertThat(header(waiting, "X-RateLimit-Mode")).isEqualTo("local");
            assertThat(openAi(sluice).getLong("calls")).isEqualTo(3); // the first call is recorded in Redis, which is unavailable
            assertThat(json(waiting).getBoolean("partial")).isTrue();
            redis = RedisTestServer.start(port); // empty
            await().atMost(Duration.ofSeconds(60)).until(() -> header(ledger(sluice), "X-RateLimit-Mode") == null);
            await().atMost(Duration.ofSeconds(60)).until(() -> openAi(sluice).getLong("calls", 0L) == 3);
            assertThat(openAi(sluice).getString("cost_usd")).isEqualTo("0.00135");
            assertThat(sluice.log()).containsOnlyOnce("WARN").doesNotContain("ERROR").doesNotContain("key-of")
                    .doesNotContain("alice-key").doesNotContain("sk-of-sluice");
        } finally {
            redis.close();
        }
    }

    @Test
    void reservationThatTimedOutIsSettled() {
        try (var redis = RedisTestServer.start();
                var sluice = start("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                        "RATE_LIMIT_LLM_OPENAI_TOKENS_PRO", "1000/day")) {
            var used = "/v1/usage?identifier=user:alice&resource=llm:openai:tokens&window_seconds=86400";
            assertThat(chat(sluice).statusCode()).isEqualTo(200);
            redis.suspend();
            var during = chat(sluice);
            redis.resume();
            assertThat(during.statusCode()).isEqualTo(200);
            assertThat(header(during, "X-RateLimit-Mode")).isEqualTo("local");
            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                var response = new HttpTestClient(sluice.port()).get(used, "Authorization", "Bearer admin");
                assertThat(header(response, "X-RateLimit-Mode")).isNull();
                assertThat(json(response).getLong("current")).isEqualTo(240);
            });
            await().atMost(Duration.ofSeconds(60)).until(() -> openAi(sluice).getLong("calls") == 2);
        }
    }

    @Test
    void unreachableProviderIsLoggedOncePerOutage() {
        try (var sluice = start("REDIS_ENABLED", "false", "RATE_LIMIT_LLM_OPENAI_BASE_URL",
                "http://127.0.0.1:" + FreePorts.next())) {
            for (int i = 0; i < 3; i++) {
                assertThat(chat(sluice).statusCode()).isEqualTo(502);
            }
            assertThat(sluice.log()).containsOnlyOnce("Upstream fails: upstream=openai, url=http://127.0.0.1:")
                    .doesNotContain("ERROR")
                    .contains("openai with Sluice's key (requests");
        }
    }

    @Test
    void ledgerIsFlushedBeforeShutdown() {
        try (var redis = RedisTestServer.start()) {
            var settings = new String[]{"REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port())};
            try (var sluice = start(settings)) {
                for (int i = 0; i < 5; i++) {
                    assertThat(chat(sluice).statusCode()).isEqualTo(200);
                }
            }
            try (var sluice = start(settings)) {
                assertThat(openAi(sluice).getLong("calls")).isEqualTo(5);
            }
        }
    }

    @Test
    void invalidSettingsAbortTheStartWithALineEach(@TempDir Path folder) throws IOException {
        var file = folder.resolve("application.properties");
        Files.writeString(file, """
                rate-limit.llm.openai.requests.pro=often
                rate-limit.llm.openai.tokens.pro=0/minute
                rate-limit.llm.openai.input-tokens.pro=many/minute
                rate-limit.llm.openai.models."gpt-4o".output-tokens.free=5/year
                rate-limit.llm.anthropic.budget.free=-1/day
                rate-limit.llm.gemini.budget.free=0.0000000001/day
                rate-limit.llm.openai.models."gpt-4o".budget.free=20 a day
                rate-limit.llm.openai.output-estimate=-1
                rate-limit.llm.openai.prices."gpt-4o".input=cheap
                rate-limit.llm.openai.paths=images
                rate-limit.llm.openai.base-url=api.openai.com
                rate-limit.llm.anthropic.base-url=https://user:secret@example.org
                rate-limit.llm.ledger.buffer=0
                rate-limit.llm.timeout=0s
                rate-limit.llm.max-body-size=0
                """);
        var log = Instance
                .startExpectingFailure(Map.of("REDIS_ENABLED", "false", "SMALLRYE_CONFIG_LOCATIONS", file.toUri().toString(),
                        "RATE_LIMIT_LLM_OPENAI_OUTPUT_TOKENS_PRO", "lots"));
        assertThat(log).contains("rate-limit.llm.openai.requests.pro=often: ")
                .contains("rate-limit.llm.openai.input-tokens.pro=many/minute: ")
                .contains("rate-limit.llm.openai.output-tokens.pro=lots: ")
                .contains("rate-limit.llm.openai.models.\"gpt-4o\".output-tokens.free=5/year: ")
                .contains("rate-limit.llm.openai.tokens.pro=0/minute: ")
                .contains("rate-limit.llm.anthropic.budget.free=-1/day: ")
                .contains("rate-limit.llm.gemini.budget.free=0.0000000001/day: ").contains("DOLLARS/WINDOW")
                .contains("rate-limit.llm.openai.models.\"gpt-4o\".budget.free=20 a day: ")
                .contains("rate-limit.llm.openai.output-estimate=-1: ")
                .contains("rate-limit.llm.openai.prices.\"gpt-4o\".input=").contains("rate-limit.llm.openai.paths=images: ")
                .contains("rate-limit.llm.openai.base-url=(not shown): ")
                .contains("rate-limit.llm.anthropic.base-url=(not shown): ").contains("rate-limit.llm.ledger.buffer=0: ")
                .contains("rate-limit.llm.timeout=").contains("rate-limit.llm.max-body-size=0").doesNotContain("user:secret")
                .doesNotContain("\tat ");
    }
}
