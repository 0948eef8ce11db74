package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.Form;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProviderStub;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Costs of calls, worked out by hand from the providers' price lists of November 2026: as documents and as streams. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmBillsTest extends LlmTestBase {

    private static final String USER = "wealthy";

    /**
     * @param why reason of the cost
     * @param only the only form in which the provider answers: {@code document} or {@code events}; null for both
     */
    private record Bill(String provider, String path, JsonObject request, JsonObject answer, JsonArray events, String usd,
            String why, String only) {

        @Override
        public String toString() {
            return provider + ' ' + why;
        }
    }

    static Stream<Bill> bills() {
        try (var file = LlmBillsTest.class.getResourceAsStream("bills.json")) {
            return new JsonArray(new String(file.readAllBytes(), StandardCharsets.UTF_8)).stream().map(JsonObject.class::cast)
                    .map(bill -> new Bill(bill.getString("provider"), bill.getString("path"), bill.getJsonObject("request"),
                            bill.getJsonObject("answer"), bill.getJsonArray("events"), bill.getString("usd"),
                            bill.getString("why"), bill.getString("only")))
                    .toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Bill> documents() {
        return bills().filter(bill -> bill.answer() != null && !"events".equals(bill.only()));
    }

    static Stream<Bill> answers() {
        return bills().filter(bill -> bill.answer() != null && !"document".equals(bill.only()));
    }

    static Stream<Bill> eventStreams() {
        return bills().filter(bill -> bill.events() != null);
    }

    private ProviderStub stub(String provider) {
        return switch (provider) {
            case "openai" -> openAi;
            case "anthropic" -> anthropic;
            default -> gemini;
        };
    }

    private void call(Bill bill, boolean streaming) {
        var response = send(bill, streaming, USER);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }

    private HttpResponse<String> send(Bill bill, boolean streaming, String user) {
        var path = '/' + bill.provider() + (bill.provider().equals("gemini") ? "/v1beta" : "/v1") + bill.path();
        var request = bill.request().copy().put("messages", new JsonArray()).put("max_tokens", 100);
        if (streaming) {
            request.put("stream", true);
            path = path.replace(":generateContent", ":streamGenerateContent?alt=sse");
        }
        var form = bill.path().startsWith("/audio/trans") ? Form.of(request) : null;
        return form == null
                ? http.post(path, request.encode(), "x-api-key", "key-of-" + user)
                : http.post(path, form.body(), "x-api-key", "key-of-" + user, "Content-Type", form.contentType());
    }

    private void assertBooked(Bill bill, int calls) {
        var booked = ledger("user:" + USER, bill.provider());
        assertThat(booked.getLong("calls", 0L)).isEqualTo(calls);
        assertThat(booked.getLong("estimated_calls", 0L)).isZero();
        assertThat(booked.getString("cost_usd", "0")).isEqualTo(bill.usd());
        if (calls > 0) {
            assertDetailsSumTo(booked);
            booked.getJsonObject("models").forEach(model -> assertDetailsSumTo((JsonObject) model.getValue()));
        }
    }

    private static void assertDetailsSumTo(JsonObject totals) {
        var cost = BigDecimal.ZERO;
        long tokens = 0;
        for (var kind : totals.getJsonObject("details")) {
            var detail = (JsonObject) kind.getValue();
            cost = cost.add(new BigDecimal(detail.getString("cost_usd")));
            tokens += detail.getLong("tokens", 0L);
        }
        assertThat(cost).isEqualByComparingTo(totals.getString("cost_usd"));
        assertThat(tokens).isEqualTo(totals.getLong("input_tokens") + totals.getLong("output_tokens"));
        assertThat(totals.getJsonObject("details").fieldNames()).doesNotContain("other");
    }

    @ParameterizedTest
    @MethodSource("documents")
    void documentCostsWhatTheProviderBills(Bill bill) {
        stub(bill.provider()).respondNext(1, 200, bill.answer().encode());
        call(bill, false);
        assertBooked(bill, 1);
    }

    @ParameterizedTest
    @MethodSource("answers")
    void streamCostsWhatTheProviderBills(Bill bill) {
        stub(bill.provider()).streamNext(1, events(bill).toArray(String[]::new));
        call(bill, true);
        assertBooked(bill, 1);
    }

    @ParameterizedTest
    @MethodSource("eventStreams")
    void errorsCostNothing(Bill bill) {
        stub(bill.provider()).streamNext(1,
                bill.events().stream().map(event -> "data: " + event + "\n\n").toArray(String[]::new));
        call(bill, true);
        assertBooked(bill, 0);
        assertThat(windowUsage(USER, "llm:" + bill.provider() + ":budget")).isZero();
    }

    /** Calls that end a budget of a cent within a few calls. */
    static Stream<Bill> costly() {
        return documents().filter(bill -> new BigDecimal(bill.usd()).compareTo(new BigDecimal("0.001")) >= 0);
    }

    /** By any choice of model, tier, tools, pictures or audio, as documents and as streams in turn. */
    @ParameterizedTest
    @MethodSource("costly")
    void budgetIsExceededByOneCallAtMost(Bill bill) {
        admin.reset("user:money").await().atMost(Duration.ofSeconds(60));
        var budget = new BigDecimal("0.01");
        var spent = BigDecimal.ZERO;
        int status = 200;
        for (int i = 0; i <= 12 && status == 200; i++) {
            boolean streaming = i % 2 == 1 && !"document".equals(bill.only());
            if (streaming) {
                stub(bill.provider()).streamNext(1, events(bill).toArray(String[]::new));
            } else {
                stub(bill.provider()).respondNext(1, 200, bill.answer().encode());
            }
            status = send(bill, streaming, "money").statusCode();
            if (status == 200) {
                assertThat(spent).isLessThan(budget);
                spent = spent.add(new BigDecimal(bill.usd()));
                long charged = spent.movePointRight(9).longValue();
                await().atMost(60, TimeUnit.SECONDS)
                        .until(() -> windowUsage("money", "llm:" + bill.provider() + ":budget") >= charged);
            }
        }
        assertThat(status).isEqualTo(429);
        assertThat(new BigDecimal(ledger("user:money", bill.provider()).getString("cost_usd", "0")))
                .isEqualByComparingTo(spent);
    }

    /** Otherwise parallel calls would exceed the budget by as much as their tier is dearer. */
    @ParameterizedTest
    @CsvSource({"openai, gpt-5.5, service_tier, standard, 5000, 30000", "openai, gpt-5.5, service_tier, priority, 12500, 75000",
            "openai, gpt-5.5, service_tier, flex, 5000, 30000", "anthropic, claude-opus-5, speed, fast, 10000, 50000",
            "anthropic, claude-opus-5, speed, standard, 5000, 25000",
            "anthropic, claude-opus-5, inference_geo, us, 5500, 27500"})
    void reservationHasThePriceOfTheRequestedTier(String provider, String model, String field, String value, long input,
            long output) {
        var body = new JsonObject().put("model", model).put("messages", new JsonArray()).put("max_tokens", 100)
                .put(field, value)
                .encode();
        var path = provider.equals("openai") ? "/openai/v1/chat/completions" : "/anthropic/v1/messages";
        var response = http.post(path, body, "x-api-key", "key-of-money", "anthropic-version", "2023-06-01");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        long tokens = Estimates.input(Provider.ofPriceList(provider), path.substring(provider.length() + 1), body);
        assertThat(header(response, "X-RateLimit-Remaining"))
                .isEqualTo(Long.toString(10_000_000 - tokens * input - 100 * output));
    }

    /** Returns the answer as the provider streams it. */
    private static List<String> events(Bill bill) {
        var answer = bill.answer();
        return switch (bill.provider()) {
            case "openai" -> openAiEvents(bill.path(), answer);
            case "anthropic" -> {
                var first = new JsonObject().put("model", answer.getString("model")).put("usage",
                        answer.getJsonObject("usage").copy().put("output_tokens", 1).putNull("iterations"));
                yield List.of(data(new JsonObject().put("type", "message_start").put("message", first)),
                        data(new JsonObject().put("type", "content_block_delta").put("delta",
                                new JsonObject().put("type", "text_delta").put("text", answer.encode()))),
                        data(new JsonObject().put("type", "message_delta").put("usage", answer.getJsonObject("usage"))),
                        data(new JsonObject().put("type", "message_stop")));
            }
            default -> bill.path().startsWith("/openai/")
                    ? openAiEvents(bill.path(), answer)
                    : List.of(data(answer.containsKey("candidates")
                            ? answer
                            : answer.copy().put("candidates",
                                    new JsonArray().add(new JsonObject().put("finishReason", "STOP")))));
        };
    }

    private static List<String> openAiEvents(String path, JsonObject answer) {
        return switch (path) {
            case "/responses" -> responsesEvents(answer);
            case "/images/generations" ->
                List.of(data(new JsonObject().put("type", "image_generation.partial_image").put("b64_json", "AAAA")),
                        data(answer.copy().put("type", "image_generation.completed").put("b64_json", "AAAA")));
            case "/images/edits" -> List.of(data(answer.copy().put("type", "image_edit.completed").put("b64_json", "AAAA")));
            case "/audio/transcriptions" ->
                List.of(data(new JsonObject().put("type", "transcript.text.delta").put("delta", "Hi")),
                        data(answer.copy().put("type", "transcript.text.done")));
            case "/audio/speech" ->
                List.of(data(new JsonObject().put("type", "speech.audio.delta").put("audio", "AAAA")),
                        data(answer.copy().put("type", "speech.audio.done")));
            default -> List.of(
                    data(new JsonObject().put("model", answer.getString("model")).put("choices",
                            new JsonArray().add(new JsonObject().put("index", 0)))),
                    data(answer.copy().put("choices", new JsonArray())), "data: [DONE]\n\n");
        };
    }

    /** Each item is announced when it begins, when it ends and at the end of the response. */
    private static List<String> responsesEvents(JsonObject answer) {
        var events = new ArrayList<String>();
        events.add(data(new JsonObject().put("type", "response.output_text.delta").put("delta", "Hi")));
        for (var item : answer.getJsonArray("output", new JsonArray())) {
            events.add(data(new JsonObject().put("type", "response.output_item.added").put("item",
                    ((JsonObject) item).copy().put("status", "in_progress"))));
            events.add(data(new JsonObject().put("type", "response.output_item.done").put("item", item)));
        }
        events.add(data(new JsonObject().put("type", "response.completed").put("response", answer)));
        return events;
    }

    private static String data(JsonObject event) {
        return "data: " + event.encode() + "\n\n";
    }
}
