package dev.sluice.service.llm;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.ConcurrentRequests;
import dev.sluice.testing.ConcurrentRequests.Outcome;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.InstanceGroup;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.OpenAiStub;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** LLM calls through three instances of the packaged program that share one Redis. */
@Isolated("a Redis timeout of one of the instances would fall back to its memory")
class LlmThreeInstancesIT {

    private static final int ROUNDS = 20;
    private static final int TOKENS = 10_000;

    private static final RedisTestServer REDIS = RedisTestServer.start();
    private static final OpenAiStub OPENAI = new OpenAiStub();
    private static InstanceGroup instances;
    private static ConcurrentRequests requests;

    @BeforeAll
    static void start() {
        instances = InstanceGroup.with(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(REDIS.port()),
                "RATE_LIMIT_ADMIN_TOKEN", "admin", "RATE_LIMIT_IDENTITY_PROXIES", "127.0.0.1/32",
                "RATE_LIMIT_LLM_OPENAI_BASE_URL", OPENAI.baseUrl(), "RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice",
                "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO", "unlimited", "RATE_LIMIT_LLM_OPENAI_TOKENS_PRO", TOKENS + "/hour"));
        requests = new ConcurrentRequests(instances.instances());
    }

    @AfterAll
    static void stop() {
        requests.close();
        instances.close();
        OPENAI.close();
        REDIS.close();
    }

    @BeforeEach
    void resetStub() {
        OPENAI.reset();
        OPENAI.expectKey("sk-of-sluice");
    }

    /** Sends all calls at once, distributed over all instances. */
    private static Outcome send(int calls, String user, String tier, String body) throws InterruptedException {
        return requests.send(calls, HttpMethod.POST, "/openai/v1/chat/completions",
                Map.of("X-User-Id", user, "X-User-Tier", tier), body);
    }

    private static HttpTestClient http(int instance) {
        return new HttpTestClient(instances.instances().get(instance).port());
    }

    private static String chat(Integer maxTokens) {
        var body = new JsonObject().put("model", "gpt-4o").put("messages",
                new JsonArray().add(new JsonObject().put("role", "user").put("content", "Tell me about sluices.")));
        return (maxTokens == null ? body : body.put("max_tokens", maxTokens)).encode();
    }

    private static JsonObject ledger(String user) {
        var response = http(2).get("/v1/llm/usage?identifier=user:" + user, "Authorization",
                "Bearer admin");
        return HttpTestClient.json(response).getJsonObject("providers").getJsonObject("openai", new JsonObject());
    }

    /** Waits for the entries of the other instances, which are written with a delay. */
    private static JsonObject ledger(String user, long calls) {
        await().atMost(60, TimeUnit.SECONDS).until(() -> ledger(user).getLong("calls", 0L) >= calls);
        return ledger(user);
    }

    @Test
    void exactlyThreeFreeCallsAreAdmitted() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            var user = "free-" + round;
            assertThat(send(60, user, "free", chat(null))).as(user).isEqualTo(new Outcome(3, 57));
            assertThat(ledger(user, 3).getLong("calls")).isEqualTo(3);
        }
        assertThat(OPENAI.requests()).hasSize(3 * ROUNDS);
    }

    @Test
    void tokenLimitIsNotExceededByExactEstimates() throws InterruptedException {
        var body = chat(200);
        long input = Estimates.chat(body);
        OPENAI.usage(TokenUsage.of(input, 200));
        int admitted = (int) (TOKENS / (input + 200));
        for (int round = 0; round < ROUNDS; round++) {
            var user = "exact-" + round;
            assertThat(send(120, user, "pro", body)).as(user).isEqualTo(new Outcome(admitted, 120 - admitted));
            var account = ledger(user, admitted);
            assertThat(account.getLong("input_tokens") + account.getLong("output_tokens")).isEqualTo(admitted * (input + 200))
                    .isLessThanOrEqualTo(TOKENS);
        }
    }

    @Test
    void tokenLimitIsExceededAtMostByCallsInFlight() throws InterruptedException {
        var body = chat(null);
        long estimate = Estimates.chat(body) + 4096;
        OPENAI.usage(TokenUsage.of(1000, 2000));
        for (int round = 0; round < 5; round++) {
            var user = "low-" + round;
            var sent = send(120, user, "pro", body);
            assertThat((long) sent.allowed()).isBetween(1L, TOKENS / estimate);
            assertThat(sent.allowed() + sent.denied()).isEqualTo(120);
            ledger(user, sent.allowed());
            assertThat(send(10, user, "pro", body).allowed() * 3000L).isLessThanOrEqualTo(
                    Math.max(0, TOKENS - sent.allowed() * 3000L));
        }
    }

    /** Redis hangs while the same reports arrive at two instances, which then wait for it. */
    @Test
    void usageReportedTwiceInAnOutageCountsOnce() {
        var report = new JsonObject().put("provider", "openai").put("identifier", "user:twice").put("tier", "pro")
                .put("model", "gpt-4o").put("input_tokens", 80).put("output_tokens", 20);
        REDIS.suspend();
        try {
            for (int i = 0; i < 20; i++) {
                for (int instance = 0; instance < 2; instance++) {
                    var response = http(instance).post("/v1/llm/usage", report.put("request_id", "r" + i).encode(),
                            "Authorization", "Bearer admin");
                    assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
                }
            }
        } finally {
            REDIS.resume();
        }
        assertThat(ledger("twice", 20).getLong("calls")).isEqualTo(20);
        await().atMost(60, TimeUnit.SECONDS).untilAsserted(() -> assertThat(HttpTestClient
                .json(http(2).get("/v1/limits?identifier=user:twice", "Authorization", "Bearer admin")).getJsonObject("limits")
                .getLong("llm:openai:tokens", 0L)).isEqualTo(2000));
    }

    @Test
    void settlementReleasesUnusedReservation() throws InterruptedException {
        var body = chat(4000);
        OPENAI.usage(TokenUsage.of(10, 10));
        int admitted = 0;
        for (int i = 0; i < 20; i++) {
            admitted += send(1, "small", "pro", body).allowed();
        }
        assertThat(admitted).isEqualTo(20);
        var used = http(0)
                .get("/v1/usage?identifier=user:small&resource=llm:openai:tokens&window_seconds=3600", "Authorization",
                        "Bearer admin");
        assertThat(HttpTestClient.json(used).getLong("current")).isEqualTo(400);
    }
}
