package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.estimate.TextTokens;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Tests the tokens of streams that are cut before they report a usage: of all text that has passed. */
class StreamTextTest {

    private static final String TEXT = "The sluice gate was first described in 1683, when the miller complained. 水闸的历史可以追溯到。 ";

    @BeforeAll
    static void loadVocabulary() {
        TextTokens.awaitVocabulary();
    }

    private static long count(String text) {
        var tokens = new TextTokens();
        tokens.add(text);
        return tokens.tokens();
    }

    private static JsonObject chat(JsonObject delta) {
        return new JsonObject().put("model", "gpt-4o").put("choices",
                new JsonArray().add(new JsonObject().put("index", 0).put("delta", delta)));
    }

    private static JsonObject arguments(String text) {
        return new JsonObject().put("tool_calls", new JsonArray()
                .add(new JsonObject().put("index", 0).put("function", new JsonObject().put("arguments", text))));
    }

    private static JsonObject response(String type, String text) {
        return new JsonObject().put("type", type).put("item_id", "msg_1").put("delta", text);
    }

    private static JsonObject message(String type, String field, String text) {
        return new JsonObject().put("type", "content_block_delta").put("index", 0).put("delta",
                new JsonObject().put("type", type).put(field, text));
    }

    private static JsonObject gemini(JsonObject... parts) {
        return new JsonObject().put("candidates", new JsonArray()
                .add(new JsonObject().put("content", new JsonObject().put("parts", new JsonArray(List.of(parts))))));
    }

    private static UsageExtractor read(Provider provider, Shape shape, List<JsonObject> events) {
        var extractor = UsageExtractor.of(provider, shape, "text/event-stream", null);
        events.forEach(event -> extractor.feed(Buffer.buffer("data: " + event.encode() + "\n\n")));
        return extractor;
    }

    /** Returns the words of the text as events. */
    private static List<JsonObject> words(Function<String, JsonObject> event) {
        var events = new ArrayList<JsonObject>();
        for (int from = 0; from < TEXT.length();) {
            int space = TEXT.indexOf(' ', from + 1);
            int to = space < 0 ? TEXT.length() : space;
            events.add(event.apply(TEXT.substring(from, to)));
            from = to;
        }
        return events;
    }

    private static void assertCounts(Provider provider, Shape shape, Function<String, JsonObject> event) {
        assertThat(read(provider, shape, words(event)).outputTokens()).isEqualTo(count(TEXT));
    }

    @Test
    void allDeltasOfAChatAreCounted() {
        for (var field : List.of("content", "refusal", "reasoning_content", "reasoning")) {
            assertCounts(Provider.OPENAI, Shape.CHAT, word -> chat(new JsonObject().put(field, word)));
        }
        assertCounts(Provider.OPENAI, Shape.CHAT, word -> chat(arguments(word)));
    }

    @Test
    void allDeltasOfAResponseAreCounted() {
        for (var type : List.of("output_text", "reasoning_summary_text", "function_call_arguments", "refusal",
                "code_interpreter_call_code")) {
            assertCounts(Provider.OPENAI, Shape.RESPONSES, word -> response("response." + type + ".delta", word));
        }
    }

    @Test
    void audioIsNoText() {
        assertThat(read(Provider.OPENAI, Shape.RESPONSES, List.of(response("response.audio.delta", "AAAA".repeat(200))))
                .outputTokens()).isEqualTo(1);
    }

    @Test
    void allDeltasOfAMessageAreCounted() {
        for (var type : List.of("text", "thinking", "partial_json")) {
            var events = new ArrayList<JsonObject>();
            events.add(new JsonObject().put("type", "message_start").put("message", new JsonObject()
                    .put("model", "claude-sonnet-4-5").put("usage", new JsonObject().put("input_tokens", 25))));
            events.addAll(words(word -> message(type + "_delta", type, word)));
            events.add(message("signature_delta", "signature", "EqQBCgIYAhIM"));
            var extractor = read(Provider.ANTHROPIC, Shape.MESSAGES, events);
            assertThat(extractor.outputTokens()).isEqualTo((long) Math.ceil(1.2 * count(TEXT)));
            assertThat(extractor.usage()).isEqualTo(TokenUsage.of(25, 0));
        }
    }

    @Test
    void allPartsOfGeminiAreCounted() {
        assertCounts(Provider.GEMINI, Shape.GENERATE, word -> gemini(new JsonObject().put("text", word)));
        var text = new JsonObject().put("text", TEXT);
        assertThat(read(Provider.GEMINI, Shape.GENERATE, List.of(gemini(text.copy().put("thought", true), text)))
                .outputTokens()).isEqualTo(count(TEXT + TEXT));
        var call = gemini(new JsonObject().put("functionCall",
                new JsonObject().put("name", "find").put("args",
                        new JsonObject().put("deep", new JsonObject().put("q", TEXT)))));
        assertThat(read(Provider.GEMINI, Shape.GENERATE, List.of(call)).outputTokens()).isBetween(count(TEXT),
                count(TEXT) + 5);
    }

    /** A string in an event is cut at one kilobyte when it is read; the rest is taken for the same kind of text. */
    @ParameterizedTest
    @ValueSource(ints = {5, 50, 500})
    void largeDeltasAreExtrapolated(int times) {
        var event = chat(new JsonObject().put("content", TEXT.repeat(times)));
        assertThat(read(Provider.OPENAI, Shape.CHAT, List.of(event, event)).outputTokens())
                .isCloseTo(2 * times * count(TEXT), withPercentage(15));
    }

    @ParameterizedTest
    @ValueSource(ints = {100, 2000})
    void longStreamIsEstimated(int times) {
        var events = words(word -> chat(new JsonObject().put("content", word)));
        var extractor = UsageExtractor.of(Provider.OPENAI, Shape.CHAT, "text/event-stream", null);
        for (int i = 0; i < times; i++) {
            events.forEach(event -> extractor.feed(Buffer.buffer("data: " + event.encode() + "\n\n")));
        }
        assertThat(extractor.outputTokens()).isCloseTo(times * count(TEXT), withPercentage(15));
    }

    @Test
    void eventsWithoutTextAreAtLeastOneToken() {
        assertThat(read(Provider.OPENAI, Shape.CHAT, List.of()).outputTokens()).isZero();
        assertThat(read(Provider.OPENAI, Shape.RESPONSES, List.of(new JsonObject().put("type", "response.created")))
                .outputTokens()).isZero();
        assertThat(read(Provider.OPENAI, Shape.CHAT, List.of(chat(new JsonObject().put("content", "")))).outputTokens())
                .isEqualTo(1);
    }

    @Test
    void plainResponseHasNoEstimate() {
        var extractor = UsageExtractor.of(Provider.OPENAI, Shape.CHAT, "application/json", null);
        extractor.feed(Buffer.buffer(chat(new JsonObject().put("content", TEXT)).encode()));
        assertThat(extractor.outputTokens()).isZero();
    }
}
