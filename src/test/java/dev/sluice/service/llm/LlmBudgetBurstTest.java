package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.LlmBurstProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;

/** Calls at once, of which none sets a maximum output, on a budget of one dollar a day. Prices of gpt-4o: 2.50 and 10. */
@QuarkusTest
@TestProfile(LlmBurstProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmBudgetBurstTest extends LlmTestBase {

    private static final String BODY = "{\"model\":\"gpt-4o\",\"messages\":[]}";
    private static final String AGENT_BODY = BODY.replace("}", ",\"max_tokens\":64000}");
    private static final long ESTIMATED_INPUT = Estimates.chat(BODY);
    private static final long INPUT = 12;
    /** Nanodollars per token. */
    private static final long INPUT_PRICE = 2500;
    private static final long OUTPUT_PRICE = 10_000;
    private static final long DOLLAR = 1_000_000_000;
    private static final int BURST = 120;
    private static final int PARALLEL_CALLS = 16;
    private static final long UNKNOWN_COST = cost(ESTIMATED_INPUT, 4096);
    private static final long[] ANSWERS = {180, 420, 75, 960, 310, 2300, 540, 128, 1500, 640};

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client = vertx
            .createHttpClient(new HttpClientOptions().setMaxPoolSize(BURST).setMaxWaitQueueSize(-1));

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private static long cost(long input, long output) {
        return input * INPUT_PRICE + output * OUTPUT_PRICE;
    }

    private void answers(long... outputs) {
        openAi.usage(LongStream.of(outputs).mapToObj(output -> TokenUsage.of(INPUT, output)).toArray(TokenUsage[]::new));
    }

    /** Sends calls at once; no response ends before all of them are decided. Returns the number of those that were admitted. */
    private int burst(int calls, String user, String body) {
        var gate = openAi.gate();
        var admitted = new AtomicInteger();
        var denied = new AtomicInteger();
        IntStream.range(0, calls).forEach(i -> client.request(HttpMethod.POST, port, "127.0.0.1", CHAT)
                .compose(request -> request.putHeader("Authorization", "Bearer key-of-" + user).send(Buffer.buffer(body)))
                .compose(response -> response.body().map(read -> response.statusCode()))
                .onSuccess(
                        status -> (status == 200 ? admitted : denied).addAndGet(status == 200 || status == 429 ? 1 : -1000)));
        await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() + denied.get() == calls);
        gate.open();
        await().atMost(60, TimeUnit.SECONDS).until(() -> admitted.get() + denied.get() == calls);
        return admitted.get();
    }

    /** Returns what a user has spent, in nanodollars, after the settlement of all calls. */
    private long spent(String user) {
        var usage = ledger("user:" + user, "openai");
        long spent = new BigDecimal(usage.getString("cost_usd", "0")).movePointRight(9).longValueExact();
        await().atMost(60, TimeUnit.SECONDS).until(() -> windowUsage(user, "llm:openai:budget") == spent);
        return spent;
    }

    private void calls(int times, String user) {
        for (int i = 0; i < times; i++) {
            assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-" + user).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void withoutAHistoryEachCallReserves4096Tokens() {
        answers(ANSWERS);
        int admitted = burst(BURST, "cold", BODY);
        assertThat(admitted).isEqualTo((int) (DOLLAR / UNKNOWN_COST)).isEqualTo(24);
        assertThat(spent("cold")).isLessThanOrEqualTo(DOLLAR).isGreaterThan(24 * cost(INPUT, 75));
    }

    /** The case of outputs far above the estimate: what is spent is bounded by the calls whose reservations fit. */
    @Test
    void withoutAHistoryLongOutputsAreBoundedByTheReservations() {
        answers(63_000);
        assertThat(burst(BURST, "long", BODY)).isEqualTo(24);
        assertThat(spent("long")).isEqualTo(24 * cost(INPUT, 63_000));
        assertThat(burst(BURST, "long", BODY)).isZero();
    }

    @Test
    void withAHistoryTheBudgetIsNeverExceeded() {
        answers(ANSWERS);
        calls(40, "warm");
        long before = spent("warm");
        assertThat(before).isEqualTo(4 * LongStream.of(ANSWERS).map(output -> cost(INPUT, output)).sum());
        long typicalCost = cost(ESTIMATED_INPUT, 2435); // the upper bound of the bucket with 2300 tokens
        int most = PARALLEL_CALLS + (int) ((DOLLAR - before - PARALLEL_CALLS * typicalCost) / UNKNOWN_COST);
        int admitted = burst(BURST, "warm", BODY);
        assertThat(admitted).isBetween((int) ((DOLLAR - before) / UNKNOWN_COST), most);
        int calls = 40 + admitted;
        for (int next = admitted; next > 0; calls += next) {
            next = burst(BURST, "warm", BODY);
            assertThat(spent("warm")).isLessThanOrEqualTo(DOLLAR);
        }
        assertThat(ledger("user:warm", "openai").getLong("calls")).isEqualTo(calls);
        assertThat(spent("warm")).as("all but the reservation of one call is used")
                .isBetween(DOLLAR - UNKNOWN_COST, DOLLAR);
    }

    /** Sixteen calls may reserve what is typical; each further one in flight reserves what one without a history does. */
    @Test
    void shortOutputsDoNotAdmitAnyNumberOfLongOnes() {
        answers(5);
        calls(200, "tiny");
        long before = spent("tiny");
        assertThat(before).isEqualTo(200 * cost(INPUT, 5));
        answers(64_000);
        int most = PARALLEL_CALLS + (int) ((DOLLAR - before) / UNKNOWN_COST);
        assertThat(most).isEqualTo(40);
        int admitted = burst(100, "tiny", BODY);
        assertThat(admitted).isBetween(24, most);
        assertThat(spent("tiny")).isEqualTo(before + admitted * cost(INPUT, 64_000));
        assertThat(burst(BURST, "tiny", BODY)).isZero();
    }

    @Test
    void everyChoiceIsReserved() {
        answers(100);
        var body = BODY.replace("}", ",\"n\":4}");
        assertThat(burst(BURST, "choices", body)).isEqualTo(6);
    }

    /** A caller's own maximum is reserved, whatever is typical, and teaches nothing. */
    @Test
    void maximumOfTheRequestIsReserved() {
        answers(50);
        var body = BODY.replace("}", ",\"max_tokens\":50}");
        for (int i = 0; i < 30; i++) {
            assertThat(http.post(CHAT, body, "Authorization", "Bearer key-of-capped").statusCode()).isEqualTo(200);
        }
        assertThat(burst(BURST, "capped", body)).isEqualTo(BURST);
        long left = DOLLAR - spent("capped");
        assertThat(burst(BURST, "capped", BODY)).isEqualTo((int) (left / UNKNOWN_COST));
    }

    /** An agent allows far more than it uses, call after call. */
    @Test
    void largeMaximumDoesNotLockOut() {
        answers(800);
        for (int i = 0; i < 50; i++) {
            assertThat(http.post(CHAT, AGENT_BODY, "Authorization", "Bearer key-of-agent").statusCode()).isEqualTo(200);
            assertThat(spent("agent")).isEqualTo((i + 1) * cost(INPUT, 800));
        }
    }

    /** Agents use all that they allow. The first call in flight reserves 4096 tokens, the others reserve all of it. */
    @Test
    void largeMaximumExceedsTheBudgetByOneCall() {
        answers(64_000);
        assertThat(burst(BURST, "agents", AGENT_BODY)).isEqualTo(2);
        assertThat(spent("agents")).isEqualTo(2 * cost(INPUT, 64_000)).isBetween(DOLLAR, DOLLAR + cost(INPUT, 64_000));
        assertThat(burst(BURST, "agents", AGENT_BODY)).isZero();
        assertThat(burst(1, "agents", BODY.replace("}", ",\"max_tokens\":1}"))).isZero();
    }

    @Test
    void reservationOfACheckIsLearntFromReports() {
        var check = "{\"provider\":\"openai\",\"identifier\":\"outside\",\"tier\":\"dollar\",\"model\":\"gpt-4o\"}";
        for (int i = 0; i < 25; i++) {
            var response = http.post("/v1/llm/check", check);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(limits("outside")).isEqualTo(i * cost(0, 200) + OUTPUT_PRICE * (i < 20 ? 4096 : 215));
            var usage = "{\"provider\":\"openai\",\"identifier\":\"outside\",\"model\":\"gpt-4o\",\"output_tokens\":200,"
                    + "\"reservation\":\"" + json(response).getString("reservation") + "\"}";
            assertThat(http.post("/v1/llm/usage", usage).statusCode()).isEqualTo(204);
            long settled = (i + 1) * cost(0, 200);
            await().atMost(60, TimeUnit.SECONDS).until(() -> limits("outside") == settled);
        }
    }

    private long limits(String identifier) {
        return admin.limits(identifier).await().indefinitely().getOrDefault("llm:openai:budget", 0L);
    }
}
