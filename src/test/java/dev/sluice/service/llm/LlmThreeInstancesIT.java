package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.llm.OpenAiStub;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** LLM calls through three instances of the packaged program that share one Redis. */
class LlmThreeInstancesIT {

    private static final int ROUNDS = 20;
    private static final int TOKENS = 10_000;

    private static final RedisTestServer REDIS = RedisTestServer.start();
    private static final OpenAiStub OPENAI = new OpenAiStub();
    private static final Vertx VERTX = Vertx.vertx();
    private static final HttpClient CLIENT = VERTX
            .createHttpClient(new HttpClientOptions().setMaxPoolSize(64).setMaxWaitQueueSize(-1));
    private static final List<Instance> INSTANCES = new ArrayList<>();

    private record Outcome(int calls, int allowed, int denied) {
    }

    @BeforeAll
    static void start() {
        for (int i = 0; i < 3; i++) {
            INSTANCES.add(Instance.start(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(REDIS.port()),
                    "RATE_LIMIT_ADMIN_TOKEN", "admin", "RATE_LIMIT_TRUSTED_PROXIES",
                    "127.0.0.1/32",
                    "RATE_LIMIT_LLM_OPENAI_BASE_URL", OPENAI.address(), "RATE_LIMIT_LLM_OPENAI_API_KEY", "sk-of-sluice",
                    "RATE_LIMIT_LLM_OPENAI_REQUESTS_PRO", "unlimited", "RATE_LIMIT_LLM_OPENAI_TOKENS_PRO", TOKENS + "/hour")));
        }
    }

    @AfterAll
    static void stop() {
        INSTANCES.forEach(Instance::close);
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        OPENAI.close();
        REDIS.close();
    }

    @BeforeEach
    void resetStub() {
        OPENAI.reset();
        OPENAI.expectKey("sk-of-sluice");
    }

    /** All calls at once, over all instances. */
    private static Outcome send(int calls, String user, String tier, String body) throws InterruptedException {
        var allowed = new AtomicInteger();
        var denied = new AtomicInteger();
        var done = new CountDownLatch(calls);
        for (int i = 0; i < calls; i++) {
            int port = INSTANCES.get(i % INSTANCES.size()).port();
            CLIENT.request(HttpMethod.POST, port, "127.0.0.1", "/openai/v1/chat/completions")
                    .compose(request -> request.putHeader("X-User-Id", user).putHeader("X-User-Tier", tier).send(body))
                    .compose(response -> response.body().map(read -> response.statusCode())).onComplete(status -> {
                        if (status.succeeded() && status.result() == 200) {
                            allowed.incrementAndGet();
                        } else if (status.succeeded() && status.result() == 429) {
                            denied.incrementAndGet();
                        }
                        done.countDown();
                    });
        }
        assertThat(done.await(120, TimeUnit.SECONDS)).isTrue();
        return new Outcome(calls, allowed.get(), denied.get());
    }

    private static String chat(Integer maxTokens) {
        var body = new JsonObject().put("model", "gpt-4o").put("messages",
                new JsonArray().add(new JsonObject().put("role", "user").put("content", "Tell me about sluices.")));
        return (maxTokens == null ? body : body.put("max_tokens", maxTokens)).encode();
    }

    private static JsonObject ledger(String user) {
        var response = new HttpTestClient(INSTANCES.get(2).port()).get("/v1/llm/usage?identifier=user:" + user, "Authorization",
                "Bearer admin");
        return HttpTestClient.json(response).getJsonObject("providers").getJsonObject("openai", new JsonObject());
    }

    /** The other instances write what they have booked a moment later. */
    private static JsonObject ledger(String user, long calls) {
        org.awaitility.Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> ledger(user).getLong("calls", 0L) >= calls);
        return ledger(user);
    }

    @Test
    void exactlyThreeFreeCallsAreAdmitted() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            var user = "free-" + round;
            assertThat(send(60, user, "free", chat(null))).as(user).isEqualTo(new Outcome(60, 3, 57));
            assertThat(ledger(user, 3).getLong("calls")).isEqualTo(3);
        }
        assertThat(OPENAI.seen()).hasSize(3 * ROUNDS);
    }

    @Test
    void tokenLimitIsNotExceededByExactEstimates() throws InterruptedException {
        var body = chat(200);
        long input = (body.length() + 3) / 4;
        OPENAI.usage(TokenUsage.of(input, 200));
        int admitted = (int) (TOKENS / (input + 200));
        for (int round = 0; round < ROUNDS; round++) {
            var user = "exact-" + round;
            assertThat(send(120, user, "pro", body)).as(user).isEqualTo(new Outcome(120, admitted, 120 - admitted));
            var account = ledger(user, admitted);
            assertThat(account.getLong("input_tokens") + account.getLong("output_tokens")).isEqualTo(admitted * (input + 200))
                    .isLessThanOrEqualTo(TOKENS);
        }
    }

    @Test
    void tokenLimitIsExceededAtMostByCallsInFlight() throws InterruptedException {
        var body = chat(null);
        long estimate = (body.length() + 3) / 4 + 1024;
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

    @Test
    void settlementReleasesUnusedReservation() throws InterruptedException {
        var body = chat(4000);
        OPENAI.usage(TokenUsage.of(10, 10));
        int admitted = 0;
        for (int i = 0; i < 20; i++) {
            admitted += send(1, "small", "pro", body).allowed();
        }
        assertThat(admitted).isEqualTo(20);
        var used = new HttpTestClient(INSTANCES.get(0).port())
                .get("/v1/usage?identifier=user:small&resource=llm:openai:tokens&window_seconds=3600", "Authorization",
                        "Bearer admin");
        assertThat(HttpTestClient.json(used).getLong("current")).isEqualTo(400);
    }
}
