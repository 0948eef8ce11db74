package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** Responses in the background of gpt-4o, at 2.50 / 10 dollars per million, on a budget of one cent a day. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmBackgroundTest extends LlmTestBase {

    private static final String RESPONSES = "/openai/v1/responses";
    private static final String BUDGET = "llm:openai:budget";
    private static final AtomicInteger IDS = new AtomicInteger();
    /** Cost of 100 tokens of input and 200 of output, in dollars and in billionths. */
    private static final String USD = "0.00225";
    private static final long NANODOLLARS = 2_250_000;

    @Inject
    DeferredCalls calls;

    @Inject
    StoredResponses responses;

    @Inject
    LlmLimiter limiter;

    /** The cache of this instance outlives a test. */
    private String id;

    /** Books what a test leaves open: the next one deletes it in Redis, but not in the memory of this instance. */
    @AfterEach
    void bookOpenCalls() {
        await(calls.sweep(System.currentTimeMillis() + Duration.ofDays(3).toMillis()));
    }

    @BeforeEach
    void newId() {
        Estimates.load();
        id = "resp_" + IDS.incrementAndGet();
    }

    private String state(String status) {
        var json = new JsonObject().put("id", id).put("object", "response").put("status", status).put("model", "gpt-4o");
        var usage = new JsonObject().put("input_tokens", 100).put("output_tokens", 200);
        return (status.equals("queued") || status.equals("in_progress") || status.equals("failed")
                ? json.putNull("usage")
                : json.put("usage", usage)).encode();
    }

    private HttpResponse<String> create(String user, String status) {
        openAi.respondNext(1, 200, state(status));
        return http.post(RESPONSES, request().encode(), "Authorization", "Bearer key-of-" + user);
    }

    /** Reserves 500 tokens of output. */
    private static JsonObject request() {
        return new JsonObject().put("model", "gpt-4o").put("input", "x").put("max_output_tokens", 500).put("background", true);
    }

    private HttpResponse<String> send(String method, String path, String user) {
        return http.send(method, RESPONSES + '/' + id + path, null, "Authorization", "Bearer key-of-" + user);
    }

    private HttpResponse<String> poll(String user, String status) {
        openAi.respondNext(1, 200, state(status));
        return send("GET", "", user);
    }

    private void assertBooked(int calls, String usd, int estimated) {
        var booked = ledger("user:money", "openai");
        assertThat(booked.getLong("calls", 0L)).isEqualTo(calls);
        assertThat(booked.getString("cost_usd", "0")).isEqualTo(usd);
        assertThat(booked.getLong("estimated_calls", 0L)).isEqualTo(estimated);
    }

    private long reserved() {
        return Estimates.input(Provider.OPENAI, "/v1/responses", request().encode()) * 2500 + 500 * 10_000;
    }

    private String reservedDollars() {
        return BigDecimal.valueOf(reserved(), 9).stripTrailingZeros().toPlainString();
    }

    private static void await(Future<?> future) {
        future.toCompletionStage().toCompletableFuture().join();
    }

    @ParameterizedTest
    @ValueSource(strings = {"completed", "incomplete", "cancelled"})
    void callIsBookedWhenItsEndIsPolled(String status) {
        assertThat(create("money", "queued").statusCode()).isEqualTo(200);
        assertThat(windowUsage("money", BUDGET)).isEqualTo(reserved());
        assertBooked(0, "0", 0);
        assertThat(poll("money", "in_progress").body()).isEqualTo(state("in_progress"));
        assertThat(windowUsage("money", BUDGET)).isEqualTo(reserved());
        assertBooked(0, "0", 0);
        assertThat(poll("money", status).body()).isEqualTo(state(status));
        assertBooked(1, USD, 0);
        assertThat(windowUsage("money", BUDGET)).isEqualTo(NANODOLLARS);
        assertThat(poll("money", status).statusCode()).isEqualTo(200);
        await(calls.sweep(System.currentTimeMillis() + Duration.ofDays(2).toMillis()));
        assertBooked(1, USD, 0);
    }

    @Test
    void failedCallCostsNothing() {
        create("money", "queued");
        poll("money", "failed");
        assertThat(windowUsage("money", BUDGET)).isZero();
        await(calls.sweep(System.currentTimeMillis() + Duration.ofDays(2).toMillis()));
        assertBooked(0, "0", 0);
    }

    @Test
    void callThatEndsAtOnceIsBookedAtOnce() {
        create("money", "completed");
        assertBooked(1, USD, 0);
        poll("money", "completed");
        assertBooked(1, USD, 0);
    }

    @Test
    void streamOfAnEndBooksTheCall() {
        create("money", "queued");
        openAi.streamNext(1, "data: {\"type\":\"response.in_progress\",\"response\":" + state("in_progress") + "}\n\n",
                "data: {\"type\":\"response.completed\",\"response\":" + state("completed") + "}\n\n");
        assertThat(send("GET", "?stream=true&starting_after=1", "money").statusCode()).isEqualTo(200);
        assertBooked(1, USD, 0);
    }

    /** The response is generated further. */
    @Test
    void brokenStreamIsBookedWhenItsEndIsPolled() {
        openAi.streamNext(1, "event: response.created\ndata: {\"type\":\"response.created\",\"response\":" + state("queued")
                + "}\n\n");
        assertThat(http.post(RESPONSES, request().put("stream", true).encode(), "Authorization", "Bearer key-of-money")
                .statusCode()).isEqualTo(200);
        assertBooked(0, "0", 0);
        poll("money", "completed");
        assertBooked(1, USD, 0);
    }

    /** The client may disconnect, and read the rest of the response by its id. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void ownerIsKnownFromTheFirstEventOfAStream(boolean background) throws IOException {
        var created = "data: {\"type\":\"response.created\",\"response\":" + state("queued") + "}\n\n";
        openAi.streamNext(1, created,
                "data: {\"type\":\"response.completed\",\"response\":" + state("completed") + "}\n\n");
        openAi.respondNext(1, 200, state("in_progress"));
        var gate = openAi.gate();
        try (var raw = new RawHttpConnection(port)) {
            raw.send(RawHttpConnection.post(RESPONSES, request().put("background", background).put("stream", true).encode(),
                    "Authorization: Bearer key-of-money"));
            gate.release(1);
            assertThat(raw.readHeaderSection().get(0)).isEqualTo("HTTP/1.1 200 OK");
            raw.readLine();
            assertThat(raw.readLine()).isEqualTo(created.strip());
            openAi.ungate();
            assertThat(send("GET", "", "pro").statusCode()).isEqualTo(404);
            assertThat(send("GET", "", "money").body()).isEqualTo(state("in_progress"));
            gate.open();
        }
        Polling.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertBooked(1, USD, 0));
    }

    /** The reply of Redis arrives on an event loop that is not that of most of these requests. */
    @Test
    void firstEventIsForwardedAfterTheOwnerWasReadFromRedis() throws IOException {
        var created = "data: {\"type\":\"response.created\",\"response\":" + state("in_progress") + "}\n\n";
        var connections = new ArrayList<RawHttpConnection>();
        try {
            for (int i = 0; i < 8; i++) {
                var previous = StoredResponses.hash(Provider.OPENAI, id + '-' + i);
                await(redis.connectionManager().send(Request.cmd(Command.SET).arg(responses.key(previous))
                        .arg(new StoredResponse("user:wealthy", null).encode())));
                openAi.streamNext(1, created, "data: {}\n\n");
                var gate = openAi.gate();
                var raw = new RawHttpConnection(port);
                connections.add(raw);
                raw.send(RawHttpConnection.post(RESPONSES, request().put("background", false).put("stream", true)
                        .put("previous_response_id", id + '-' + i).encode(), "Authorization: Bearer key-of-wealthy"));
                gate.release(1);
                assertThat(raw.readHeaderSection().get(0)).isEqualTo("HTTP/1.1 200 OK");
                raw.readLine();
                assertThat(raw.readLine()).isEqualTo(created.strip());
            }
        } finally {
            for (var connection : connections) {
                connection.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true, false, 1", "false, false, 0", "false, true, 1"})
    void onlyStoredResponsesAreRemembered(boolean stored, boolean conversation, int keys) {
        var request = request().put("background", false).put("store", stored);
        if (conversation) {
            request.put("conversation", "conv_" + id);
        }
        openAi.respondNext(1, 200, state("completed"));
        assertThat(http.post(RESPONSES, request.encode(), "Authorization", "Bearer key-of-money").statusCode()).isEqualTo(200);
        var key = redis.hashTags().keyPrefix(StoredResponses.hash(Provider.OPENAI, id)) + "o:"
                + StoredResponses.hash(Provider.OPENAI, id);
        assertThat(redis.connectionManager().send(Request.cmd(Command.EXISTS).arg(key)).toCompletionStage()
                .toCompletableFuture().join().toInteger()).isEqualTo(keys);
    }

    @Test
    void cancelBooksTheCall() {
        create("money", "queued");
        openAi.respondNext(1, 200, state("cancelled"));
        assertThat(send("POST", "/cancel", "money").statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().path()).isEqualTo("/v1/responses/" + id + "/cancel");
        assertBooked(1, USD, 0);
    }

    /** Of all instances that poll at once, each of which knows the call as pending. */
    @Test
    void pollsAtOnceBookOnce() {
        create("money", "queued");
        var hash = StoredResponses.hash(Provider.OPENAI, id);
        var others = new ArrayList<DeferredCalls>();
        for (int i = 0; i < 3; i++) {
            var other = new StoredResponses(redis.connectionManager(), redis.hashTags(), Duration.ofSeconds(60));
            var known = other.find(hash).toCompletionStage().toCompletableFuture().join();
            assertThat(known.owner()).isEqualTo("user:money");
            assertThat(known.pending().model()).isEqualTo("gpt-4o");
            others.add(new DeferredCalls(other, limiter));
        }
        var polls = new ArrayList<CompletableFuture<Void>>();
        for (var other : others) {
            polls.add(CompletableFuture.runAsync(() -> {
                var extractor = UsageExtractor.of(Provider.OPENAI, Shape.RESPONSES, "application/json", null);
                extractor.feed(Buffer.buffer(state("completed")));
                extractor.end();
                other.onState(Provider.OPENAI, id, extractor);
            }));
        }
        polls.forEach(CompletableFuture::join);
        poll("money", "completed");
        for (var other : others) {
            await(other.sweep(System.currentTimeMillis() + Duration.ofDays(2).toMillis()));
        }
        assertBooked(1, USD, 0);
        assertThat(windowUsage("money", BUDGET)).isEqualTo(NANODOLLARS);
    }

    /** As reserved, when the reservation leaves its window, on any instance. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void callThatIsNeverPolledIsEstimated(boolean otherInstance) {
        long before = System.currentTimeMillis();
        create("money", "queued");
        long after = System.currentTimeMillis();
        var instance = otherInstance
                ? new DeferredCalls(new StoredResponses(redis.connectionManager(), redis.hashTags(), Duration.ofSeconds(60)),
                        limiter)
                : calls;
        await(instance.sweep(before + Duration.ofDays(1).toMillis() - 1));
        assertBooked(0, "0", 0);
        await(instance.sweep(after + Duration.ofDays(1).toMillis()));
        assertBooked(1, reservedDollars(), 1);
        poll("money", "completed");
        await(calls.sweep(after + Duration.ofDays(1).toMillis()));
        assertBooked(1, reservedDollars(), 1);
    }

    /** As reserved: no later request can report its end. */
    @Test
    void deletedCallIsBooked() {
        create("money", "queued");
        openAi.respondNext(1, 404, "{}");
        assertThat(send("DELETE", "", "money").statusCode()).isEqualTo(404);
        assertBooked(0, "0", 0);
        openAi.respondNext(1, 200, "{\"id\":\"" + id + "\",\"object\":\"response\",\"deleted\":true}");
        assertThat(send("DELETE", "", "money").statusCode()).isEqualTo(200);
        Polling.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertBooked(1, reservedDollars(), 1));
        await(calls.sweep(System.currentTimeMillis() + Duration.ofDays(2).toMillis()));
        assertBooked(1, reservedDollars(), 1);
    }

    @Test
    void budgetHoldsWhatIsReserved() {
        assertThat(create("money", "queued").statusCode()).isEqualTo(200);
        var denied = create("money", "queued");
        assertThat(denied.statusCode()).as(denied.body()).isEqualTo(429);
    }

    @ParameterizedTest
    @CsvSource({"GET, ''", "GET, /input_items", "DELETE, ''", "POST, /cancel"})
    void responsesOfOthersAreNotFound(String method, String path) {
        create("money", "completed");
        int requests = openAi.requests().size();
        for (var user : new String[]{"pro", "wealthy"}) {
            var response = send(method, path, user);
            assertThat(response.statusCode()).isEqualTo(404);
            assertThat(error(response).getString("message")).contains(id);
        }
        assertThat(openAi.requests()).hasSize(requests);
        openAi.respondNext(1, 200, "{}");
        var own = send(method, path, "money");
        assertThat(own.statusCode()).isEqualTo(200);
        assertThat(header(own, "x-ratelimit-limit")).isEqualTo("60");
        assertThat(openAi.lastRequest().method()).isEqualTo(method);
        assertThat(windowUsage("money", "llm:openai:free")).isEqualTo(1);
        assertBooked(1, USD, 0);
    }

    @Test
    void unknownResponsesAreNotFound() {
        assertThat(send("GET", "", "money").statusCode()).isEqualTo(404);
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void responsesOfOthersAreNotContinued() {
        create("money", "completed");
        var request = request().put("background", false).put("previous_response_id", id).encode();
        var other = http.post(RESPONSES, request, "Authorization", "Bearer key-of-pro");
        assertThat(other.statusCode()).isEqualTo(404);
        assertThat(openAi.requests()).hasSize(1);
        var tokens = RESPONSES + "/input_tokens";
        assertThat(http.post(tokens, request, "Authorization", "Bearer key-of-pro").statusCode()).isEqualTo(404);
        assertThat(openAi.requests()).hasSize(1);
        openAi.respondNext(1, 200, "{\"object\":\"response.input_tokens\",\"input_tokens\":7}");
        assertThat(http.post(tokens, request, "Authorization", "Bearer key-of-money").body()).contains("7");
        assertThat(openAi.lastRequest().body()).isEqualTo(request);
        assertBooked(1, USD, 0);
        id = "resp_" + IDS.incrementAndGet();
        openAi.respondNext(2, 200, state("completed"));
        assertThat(http.post(RESPONSES, request, "Authorization", "Bearer key-of-money").statusCode()).isEqualTo(200);
        assertThat(http.post(RESPONSES, request.replace("resp_", "resp_unknown"), "Authorization", "Bearer key-of-pro")
                .statusCode()).isEqualTo(200);
    }

    /** Of the first caller that uses it. */
    @ParameterizedTest
    @ValueSource(strings = {"\"conv_%s\"", "{\"id\":\"conv_%s\"}"})
    void conversationsOfOthersAreNotContinued(String conversation) {
        var request = "{\"model\":\"gpt-4o\",\"input\":\"x\",\"max_output_tokens\":5,\"conversation\":"
                + conversation.formatted(id) + '}';
        for (var user : new String[]{"money", "pro", "money"}) {
            id = "resp_" + IDS.incrementAndGet();
            openAi.respondNext(1, 200, state("completed"));
            assertThat(http.post(RESPONSES, request, "Authorization", "Bearer key-of-" + user).statusCode()).as(user)
                    .isEqualTo(user.equals("pro") ? 404 : 200);
        }
    }
}
