package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.llm.Estimates;
import io.vertx.core.buffer.Buffer;

class LlmRequestParserTest {

    private static final ProviderOperation CHAT = ProviderOperation.of(Provider.OPENAI, "POST", "/v1/chat/completions");
    private static final ProviderOperation RESPONSES = ProviderOperation.of(Provider.OPENAI, "POST", "/v1/responses");
    private static final ProviderOperation EMBEDDINGS = ProviderOperation.of(Provider.OPENAI, "POST", "/v1/embeddings");
    private static final ProviderOperation MESSAGES = ProviderOperation.of(Provider.ANTHROPIC, "POST", "/v1/messages");
    private static final ProviderOperation GENERATE = ProviderOperation.of(Provider.GEMINI, "POST",
            "/v1beta/models/gemini-2.5-pro:generateContent");
    private static final ProviderOperation STREAM = ProviderOperation.of(Provider.GEMINI, "POST",
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent");

    @BeforeAll
    static void loadVocabulary() {
        Estimates.load();
    }

    private static LlmRequest chat(String body) {
        return LlmRequestParser.parse(Provider.OPENAI, CHAT, Buffer.buffer(body));
    }

    private static LlmRequest gemini(String body) {
        return LlmRequestParser.parse(Provider.GEMINI, GENERATE, Buffer.buffer(body));
    }

    @Test
    void parsesChatCompletions() {
        var body = Buffer.buffer("""
                {"messages":[{"role":"user","content":"héllo","model":"no","stream":false}],"model":"gpt-4o",
                 "stream":true,"n":3,"max_tokens":100,"max_completion_tokens":50,
                 "stream_options":{"include_usage":true}}""");
        var request = LlmRequestParser.parse(Provider.OPENAI, CHAT, body);
        assertThat(request).isEqualTo(new LlmRequest("gpt-4o", true, 9, 50, 3, false, true, body, body));
        assertThat(request.body()).isSameAs(body);
    }

    @Test
    void parsesOtherOpenAiAndAnthropicRequests() {
        var response = LlmRequestParser.parse(Provider.OPENAI, RESPONSES,
                Buffer.buffer("{\"model\":\"gpt-5\",\"max_tokens\":1,\"max_output_tokens\":7,\"stream\":true}"));
        assertThat(response.maxOutputTokens()).isEqualTo(7);
        assertThat(response.streaming()).isTrue();
        assertThat(response.stored()).isTrue();
        assertThat(LlmRequestParser.parse(Provider.OPENAI, RESPONSES, Buffer.buffer("{\"model\":\"gpt-5\",\"store\":false}"))
                .stored()).isFalse();
        var embeddings = LlmRequestParser.parse(Provider.OPENAI, EMBEDDINGS,
                Buffer.buffer("{\"model\":\"text-embedding-3-small\",\"input\":[\"a\"],\"max_tokens\":9}"));
        assertThat(embeddings.maxOutputTokens()).isZero();
        var message = LlmRequestParser.parse(Provider.ANTHROPIC, MESSAGES,
                Buffer.buffer("{\"model\":\"claude-opus-5\",\"max_tokens\":1024,\"n\":5,\"stream\":true}"));
        assertThat(message)
                .isEqualTo(new LlmRequest("claude-opus-5", true, 0, 1024, 1, false, false, message.body(), message.body()));
    }

    /** ProtoJSON: whole numbers may be strings and have fractions of zero. */
    @ParameterizedTest
    @ValueSource(strings = {"8", "\"8\"", "8.0", "\"8.0\"", "8e0", "\"0.8e1\""})
    void countsMayBeStringsAndFractions(String eight) {
        assertThat(gemini("{\"generationConfig\":{\"maxOutputTokens\":" + eight + ",\"candidateCount\":" + eight + "}}"))
                .extracting(LlmRequest::maxOutputTokens, LlmRequest::choices).containsExactly(8L, 8);
        assertThat(LlmRequestParser.parse(Provider.OPENAI, CHAT,
                Buffer.buffer("{\"model\":\"m\",\"messages\":[],\"n\":" + eight + "}")).choices()).isEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"8.5", "\"8.5\"", "\"eight\"", "\"\"", "-8", "\"-8\"", "1e300", "\"1e300\"", "true", "[8]", "{}",
            "1e999"})
    void otherCountsAreNoMaximum(String value) {
        assertThat(gemini("{\"generationConfig\":{\"maxOutputTokens\":" + value + ",\"candidateCount\":" + value + "}}"))
                .extracting(LlmRequest::maxOutputTokens, LlmRequest::choices).containsExactly(-1L, 1);
    }

    @Test
    void parsesGeminiRequests() {
        assertThat(gemini("""
                {"model":"other","stream":true,"contents":[],
                 "generationConfig":{"maxOutputTokens":99,"candidateCount":2}}""")).satisfies(request -> {
            assertThat(request.model()).isEqualTo("gemini-2.5-pro");
            assertThat(request.streaming()).isFalse();
            assertThat(request.maxOutputTokens()).isEqualTo(99);
            assertThat(request.choices()).isEqualTo(2);
        });
        assertThat(gemini("{\"generation_config\":{\"max_output_tokens\":5,\"candidate_count\":3}}"))
                .extracting(LlmRequest::maxOutputTokens, LlmRequest::choices).containsExactly(5L, 3);
        assertThat(gemini("{\"contents\":[]}")).extracting(LlmRequest::maxOutputTokens, LlmRequest::choices)
                .containsExactly(-1L, 1);
        assertThat(LlmRequestParser.parse(Provider.GEMINI, STREAM, Buffer.buffer("{}")).streaming()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"0|-1", "1|1", "100000000|100000000", "100000001|-1",
            "1000000000000|-1", "-1|-1", "1e3|-1", "1.0|-1", "\"5\"|-1", "null|-1", "true|-1", "[5]|-1", "{}|-1",
            "99999999999999999999999999|-1"})
    void ignoresImplausibleOutputCaps(String value, long cap) {
        assertThat(chat("{\"max_tokens\":" + value + "}").maxOutputTokens()).isEqualTo(cap);
    }

    @ParameterizedTest
    @CsvSource({"0,1", "-5,1", "1,1", "128,128", "129,128", "1000000000000,128", "1.5,1", "null,1"})
    void boundsChoices(String value, int choices) {
        assertThat(chat("{\"n\":" + value + "}").choices()).isEqualTo(choices);
    }

    /** The provider could read another one than the one that is counted. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"model | {\"model\":\"a\",\"mod\\u0065l\":\"b\"}",
            "model | {\"model\":\"a\",\"model\":null}", "model | {\"Model\":\"a\",\"model\":\"a\"}",
            "stream | {\"STREAM\":true}",
            "max_tokens | {\"max_tokens\":5,\"messages\":[],\"max_tokens\":6}"})
    void rejectsAmbiguousFields(String field, String body) {
        assertThatThrownBy(() -> chat(body)).isInstanceOf(InvalidRequestBodyException.class)
                .hasMessage("body has the field " + field + " twice, or in another case");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"| {\"models\":[],\"fallbacks\":null}",
            "a,b | {\"models\":[\"a\",\"b\"]}",
            "a,b | {\"fallbacks\":[{\"model\":\"a\"},\"b\"]}", "'' | {\"models\":\"a\"}", "'',a | {\"fallbacks\":[{},\"a\"]}",
            "'' | {\"context_window_fallbacks\":[{\"a\":[\"b\"]}]}",
            "gpt-image-1 | {\"tools\":[{\"type\":\"x\"},{\"model\":\"gpt-image-1\"}]}"})
    void readsFurtherModels(String models, String body) {
        var expected = models == null ? List.of() : List.of(models.replace("''", "").split(",", -1));
        assertThat(chat(body).furtherModels()).isEqualTo(expected);
        assertThat(LlmRequestParser.parse(Provider.ANTHROPIC, MESSAGES, Buffer.buffer(body)).furtherModels())
                .isEqualTo(expected);
    }

    @Test
    void modelBesideThatOfThePathIsAFurtherOne() {
        var deployment = new ProviderOperation(ProviderOperation.Kind.CALL, ProviderOperation.Shape.CHAT, "mine", false);
        for (var model : List.of("mine", "other")) {
            var request = LlmRequestParser.parse(Provider.OPENAI, deployment, Buffer.buffer("{\"model\":\"" + model + "\"}"));
            assertThat(request.model()).isEqualTo("mine");
            assertThat(request.furtherModels()).isEqualTo(model.equals("mine") ? List.of() : List.of("other"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"false | {\"input\":\"x\"}",
            "true | {\"previous_response_id\":\"resp_1\"}",
            "true | {\"conversation\":{\"id\":\"conv_1\"}}", "true | {\"prompt\":{\"id\":\"pmpt_1\"}}",
            "true | {\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_id\":\"f\"}]}]}",
            "true | {\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_url\":\"https://x/y\"}]}]}",
            "false | {\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"https://x/y\"}]}]}"})
    void knowsInputElsewhere(boolean elsewhere, String body) {
        assertThat(LlmRequestParser.parse(Provider.OPENAI, RESPONSES, Buffer.buffer(body)).inputElsewhere())
                .isEqualTo(elsewhere);
        assertThat(gemini("{\"cachedContent\":\"c\"}").inputElsewhere()).isTrue();
        assertThat(gemini("{\"contents\":[{\"parts\":[{\"fileData\":{\"fileUri\":\"x\"}}]}]}").inputElsewhere()).isTrue();
    }

    @Test
    void acceptsDuplicatesElsewhere() {
        assertThat(
                chat("{\"model\":\"a\",\"model\":\"a\",\"x\":1,\"x\":2,\"messages\":[{\"model\":1,\"model\":2,\"Model\":3}]}")
                        .model())
                .isEqualTo("a");
        assertThatThrownBy(() -> gemini("{\"generationConfig\":{\"maxOutputTokens\":1},\"generationConfig\":{}}"))
                .isInstanceOf(InvalidRequestBodyException.class);
        assertThat(gemini("{\"generationConfig\":{\"maxOutputTokens\":0}}").maxOutputTokens()).isEqualTo(-1);
        assertThat(chat("{\"model\":null}").model()).isEmpty();
        assertThat(chat("{}").model()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "<html>secret</html>", "{\"secret\":1", "{\"secret\":1}x", "{} {}", "[]", "null",
            "\"secret\"", "12", "{\"model\":5}", "{\"model\":\"secret\\ud800\"}", "{\"model\":true}",
            "{\"model\":[\"secret\"]}", "{\"model\":{}}",
            "{'secret':1}", "{\"a\":secret}", "{\"a\":1,}", "{/*secret*/}", "\uFEFF{}", "{\"a\":\"\n\"}"})
    void rejectsInvalidBodyWithoutEchoingIt(String body) {
        assertThatThrownBy(() -> chat(body)).isInstanceOf(InvalidRequestBodyException.class)
                .hasMessageMatching("(body|model) .+").hasMessageNotContaining("secret");
    }

    @Test
    void rejectsOverlongModelNames() {
        assertThat(chat("{\"model\":\"" + "m".repeat(256) + "\"}").model()).hasSize(256);
        for (int length : new int[]{257, 10_000, 70_000, 30_000_000}) {
            assertThatThrownBy(() -> chat("{\"model\":\"" + "m".repeat(length) + "\"}"))
                    .isInstanceOf(InvalidRequestBodyException.class).hasMessageNotContaining("mmm");
        }
    }

    @Test
    void rejectsInvalidUtf8() {
        for (var body : new byte[][]{"{\"a\":\"é\"}".getBytes(StandardCharsets.ISO_8859_1),
                "{\"model\":\"a\"}".getBytes(StandardCharsets.UTF_16BE), "{}".getBytes(StandardCharsets.UTF_16),
                {'{', '"', (byte) 0xC1, (byte) 0xA1, '"', ':', '1', '}'}, {'{', '"', (byte) 0xE2, (byte) 0x82}}) {
            assertThatThrownBy(() -> LlmRequestParser.parse(Provider.OPENAI, CHAT, Buffer.buffer(body)))
                    .isInstanceOf(InvalidRequestBodyException.class);
        }
        assertThat(chat("{\"model\":\"模型€😀\"}").model()).isEqualTo("模型€😀");
    }

    @Test
    void rejectsDeepNesting() {
        assertThat(chat("{\"a\":" + "[".repeat(900) + "]".repeat(900) + "}").model()).isEmpty();
        assertThatThrownBy(() -> chat("{\"a\":" + "[".repeat(1_000_000))).isInstanceOf(InvalidRequestBodyException.class);
        assertThatThrownBy(() -> chat("{\"a\":" + "1".repeat(2_000_000) + "}"))
                .isInstanceOf(InvalidRequestBodyException.class);
    }

    @Test
    void parsesLargeBodies() {
        var large = "{\"messages\":[{\"image\":\"" + "A".repeat(32 << 20) + "\"}],\"model\":\"m\",\"stream\":true}";
        var request = chat(large);
        assertThat(request.model()).isEqualTo("m");
        assertThat(request.bodyWithUsage().length()).isEqualTo(large.length() + 40);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{\"stream\":true}|{\"stream_options\":{\"include_usage\":true},\"stream\":true}",
            "{\t \"stream\" : true , \"a\" : 1.50 }|{\"stream_options\":{\"include_usage\":true},\t \"stream\" : true , \"a\" : 1.50 }",
            "{\"stream\":true,\"stream_options\":null}|{\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
            "{\"stream_options\": {} ,\"stream\":true}|{\"stream_options\": {\"include_usage\":true} ,\"stream\":true}",
            "{\"stream_options\":{ },\"stream\":true}|{\"stream_options\":{\"include_usage\":true },\"stream\":true}",
            "{\"stream_options\":{\"x\":[{}]},\"stream\":true}|{\"stream_options\":{\"include_usage\":true,\"x\":[{}]},\"stream\":true}",
            "{\"é\":\"€\",\"stream_options\":{\"include_usage\":false},\"stream\":true}|{\"é\":\"€\",\"stream_options\":{\"include_usage\":true},\"stream\":true}",
            "{\"stream_options\":{\"include_usage\" : null, \"x\":1},\"stream\":true}|{\"stream_options\":{\"include_usage\" : true, \"x\":1},\"stream\":true}",
            "{\"stream_options\":{\"include_usage\":true,\"include_usage\":false},\"stream\":true}|{\"stream_options\":{\"include_usage\":true,\"include_usage\":true},\"stream\":true}",
            "{\"stream_options\":{\"include_usage\":true},\"stream_options\":{},\"stream\":true}|{\"stream_options\":{\"include_usage\":true},\"stream_options\":{\"include_usage\":true},\"stream\":true}",
            "{\"stream_options\":{\"include_usage\":true},\"stream_options\":null,\"stream\":true}|{\"stream_options\":{\"include_usage\":true},\"stream_options\":{\"include_usage\":true},\"stream\":true}",
            "{\"stream_options\":5,\"stream\":true}|{\"stream_options\":5,\"stream\":true}",
            "{\"stream_options\":[{\"include_usage\":false}],\"stream\":true}|{\"stream_options\":[{\"include_usage\":false}],\"stream\":true}",
            "{\"stream_options\":{\"include_usage\":\"no\"},\"stream\":true}|{\"stream_options\":{\"include_usage\":\"no\"},\"stream\":true}",
            "{\"a\":{\"stream_options\":null},\"stream\":true}|{\"stream_options\":{\"include_usage\":true},\"a\":{\"stream_options\":null},\"stream\":true}",
            "{\"stream_option\\u0073\":{\"include_usage\":false},\"stream\":true}|{\"stream_option\\u0073\":{\"include_usage\":true},\"stream\":true}"})
    void asksForUsageWithAFewBytesMore(String body, String expected) {
        var rewritten = chat(body).bodyWithUsage();
        assertThat(rewritten.toString()).isEqualTo(expected);
        assertThat(chat(expected).usageRequested()).isEqualTo(!expected.equals(body));
    }

    @Test
    void readsBodiesThatArePartOfABuffer() {
        var text = "{\"stream\":true,\"stream_options\":{\"x\":1},\"model\":\"€\"}";
        int length = Buffer.buffer(text).length();
        var part = Buffer.buffer("xx" + text + "yyy").slice(2, 2 + length);
        var request = LlmRequestParser.parse(Provider.OPENAI, CHAT, part);
        assertThat(request.model()).isEqualTo("€");
        assertThat(request.bodyWithUsage().toString()).isEqualTo(text.replace("{\"x\"", "{\"include_usage\":true,\"x\""));
        var again = LlmRequestParser.parse(Provider.OPENAI, CHAT, request.bodyWithUsage());
        assertThat(again.usageRequested()).isTrue();
        assertThat(again.bodyWithUsage()).isSameAs(request.bodyWithUsage());
    }

    @Test
    void preservesWhitespaceWhenAddingIncludeUsage() {
        var request = chat(" \r\n{\n\t\"stream\" : true\n}\n ");
        assertThat(request.bodyWithUsage().toString())
                .isEqualTo(" \r\n{\"stream_options\":{\"include_usage\":true},\n\t\"stream\" : true\n}\n ");
        assertThat(request.body().toString()).isEqualTo(" \r\n{\n\t\"stream\" : true\n}\n ");
    }

    @Test
    void addsIncludeUsageOnlyWhereAbsent() {
        for (var body : new String[]{"{}", "{\"stream\":false}",
                "{\"stream\":true,\"stream_options\":{\"include_usage\":true}}"}) {
            var request = chat(body);
            assertThat(request.bodyWithUsage()).isSameAs(request.body());
        }
        var response = LlmRequestParser.parse(Provider.OPENAI, RESPONSES, Buffer.buffer("{\"stream\":true}"));
        assertThat(response.bodyWithUsage()).isSameAs(response.body());
        assertThat(response.usageRequested()).isFalse();
    }
}
