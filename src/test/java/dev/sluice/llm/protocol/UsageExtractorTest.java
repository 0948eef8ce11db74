package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import io.vertx.core.buffer.Buffer;

class UsageExtractorTest {

    private static final String SSE = "text/event-stream; charset=utf-8";
    private static final String JSON = "application/json";

    /** Result of an extractor. */
    private record ExtractedUsage(TokenUsage usage, String model, long events, boolean complete) {
    }

    /** Responses as the providers send them. */
    private enum Sample {

        CHAT(Provider.OPENAI, Shape.CHAT, JSON, new ExtractedUsage(new TokenUsage(20, 8, 4, 0, 12), "gpt-5.6-sol", 0, true), """
                {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-5.6-sol","choices":[{"index":0,"message":
                {"role":"assistant","content":"Grüße \\"usage\\": {\\u00e9} 😀"},"finish_reason":"stop"}],
                "usage":{"prompt_tokens":20,"completion_tokens":12,"total_tokens":32,"prompt_tokens_details":
                {"cached_tokens":8,"cache_write_tokens":4,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":10}},"service_tier":"default"}
                """), CHAT_STREAM(Provider.OPENAI, Shape.CHAT, SSE,
                new ExtractedUsage(new TokenUsage(20, 8, 0, 0, 3), "gpt-4o-2024-11-20", 4, true),
                """
                        data: {"id":"c","model":"gpt-4o-2024-11-20","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}

                        : comment data: {"usage":{"prompt_tokens":1}}
                        data: {"id":"c","model":"gpt-4o-2024-11-20","choices":[{"delta":{"content":"Grüße 😀 usage"}}],"usage":null}

                        data:{"id":"c","model":"gpt-4o-2024-11-20","choices":[{"delta":{"content":"data: [DONE]\\n\\n"}}],"usage":null}

                        data: {"id":"c","model":"gpt-4o-2024-11-20","choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}

                        data: {"id":"c","model":"gpt-4o-2024-11-20","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23,"prompt_tokens_details":{"cached_tokens":8}}}

                        data: [DONE]

                        """), RESPONSE(
                        Provider.OPENAI, Shape.RESPONSES, JSON,
                        new ExtractedUsage(new TokenUsage(36, 5, 6, 0, 87), "gpt-5.6-sol", 0, true),
                        """
                                {"id":"resp_1","object":"response","status":"completed","model":"gpt-5.6-sol","output":[{"type":"message",
                                "content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":36,
                                "input_tokens_details":{"cached_tokens":5,"cache_write_tokens":6},"output_tokens":87,
                                "output_tokens_details":{"reasoning_tokens":3},"total_tokens":123}}"""), RESPONSE_STREAM(
                                Provider.OPENAI, Shape.RESPONSES, SSE,
                                new ExtractedUsage(new TokenUsage(36, 5, 0, 0, 87), "gpt-5.4", 2, true),
                                """
                                        event: response.created
                                        data: {"type":"response.created","sequence_number":0,"response":{"id":"r","model":"gpt-5.4","usage":null}}

                                        event: response.output_text.delta
                                        data: {"type":"response.output_text.delta","delta":"Hé"}

                                        event: response.output_text.delta
                                        data: {"type":"response.output_text.delta","delta":"llo"}

                                        event: response.completed
                                        data: {"type":"response.completed","response":{"id":"r","model":"gpt-5.4","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":5},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":123}}}

                                        """), EMBEDDINGS(
                                        Provider.OPENAI, Shape.EMBEDDINGS, JSON,
                                        new ExtractedUsage(TokenUsage.of(8, 0), "text-embedding-3-small", 0, true),
                                        """
                                                {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023064255,-0.009327292,1e-5]}],
                                                "model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"""), MESSAGE(
                                                Provider.ANTHROPIC, Shape.MESSAGES, JSON,
                                                new ExtractedUsage(new TokenUsage(2095, 1000, 1000, 300, 503), "claude-opus-5",
                                                        0, true),
                                                """
                                                        {"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5","content":[{"type":"text","text":
                                                        "Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":95,"cache_creation_input_tokens":1000,
                                                        "cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":700,
                                                        "ephemeral_1h_input_tokens":300},"output_tokens":503,"server_tool_use":null}}"""), MESSAGE_STREAM(
                                                        Provider.ANTHROPIC, Shape.MESSAGES, SSE,
                                                        new ExtractedUsage(new TokenUsage(475, 100, 300, 200, 89),
                                                                "claude-sonnet-5", 2,
                                                                true),
                                                        """
                                                                event: message_start
                                                                data: {"type":"message_start","message":{"id":"m","type":"message","model":"claude-sonnet-5","content":[],"usage":{"input_tokens":25,"cache_creation_input_tokens":300,"cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens":1}}}

                                                                event: content_block_start
                                                                data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

                                                                event: ping
                                                                data: {"type": "ping"}

                                                                event: content_block_delta
                                                                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 😀"}}

                                                                event: content_block_delta
                                                                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"!"}}

                                                                event: message_delta
                                                                data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":75,"cache_creation_input_tokens":null,"output_tokens":89}}

                                                                event: message_stop
                                                                data: {"type":"message_stop"}

                                                                """), GEMINI_DOCUMENT(
                                                                Provider.GEMINI, Shape.GENERATE, JSON,
                                                                new ExtractedUsage(new TokenUsage(14, 4, 0, 0, 57),
                                                                        "gemini-2.5-pro", 0,
                                                                        true),
                                                                """
                                                                        {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP"}],
                                                                        "usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":4,"cachedContentTokenCount":4,
                                                                        "candidatesTokenCount":7,"thoughtsTokenCount":50,"totalTokenCount":71,"promptTokensDetails":
                                                                        [{"modality":"TEXT","tokenCount":10}]},"modelVersion":"gemini-2.5-pro"}"""), GEMINI_STREAM(
                                                                        Provider.GEMINI, Shape.GENERATE, SSE,
                                                                        new ExtractedUsage(TokenUsage.of(10, 57),
                                                                                "gemini-2.5-flash", 2,
                                                                                true),
                                                                        """
                                                                                data: {"candidates":[{"content":{"parts":[{"text":"Grüße 😀"}]}}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":3,"thoughtsTokenCount":20,"totalTokenCount":30},"modelVersion":"gemini-2.5-flash"}

                                                                                data: {"candidates":[{"content":{"parts":[{"text":"!"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":7,"thoughtsTokenCount":50},"modelVersion":"gemini-2.5-flash"}

                                                                                """), GEMINI_LIST(
                                                                                Provider.GEMINI, Shape.GENERATE, JSON,
                                                                                new ExtractedUsage(TokenUsage.of(10, 7),
                                                                                        "gemini-2.5-flash", 2, true),
                                                                                """
                                                                                        [{"candidates":[{"content":{"parts":[{"text":"Grüße"}]}}],"usageMetadata":{"promptTokenCount":10,"thoughtsTokenCount":5}}
                                                                                        ,
                                                                                        {"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,
                                                                                        "candidatesTokenCount":7},"modelVersion":"gemini-2.5-flash"}
                                                                                        ]
                                                                                        """), GEMINI_EMBEDDING(
                                                                                        Provider.GEMINI, Shape.EMBEDDINGS, JSON,
                                                                                        new ExtractedUsage(null, null, 0, true),
                                                                                        "{\"embedding\":{\"values\":[0.1,-2E-7]}}");

        final Provider provider;
        final Shape shape;
        final String type;
        final ExtractedUsage expected;
        final byte[] bytes;

        Sample(Provider provider, Shape shape, String type, ExtractedUsage expected, String text) {
            this.provider = provider;
            this.shape = shape;
            this.type = type;
            this.expected = expected;
            bytes = text.getBytes(StandardCharsets.UTF_8);
        }

        UsageExtractor reader(String encoding) {
            return UsageExtractor.of(provider, shape, type, encoding);
        }
    }

    private static ExtractedUsage read(UsageExtractor extractor, byte[]... chunks) {
        for (var chunk : chunks) {
            var buffer = Buffer.buffer(chunk);
            extractor.feed(buffer);
            assertThat(buffer.getBytes()).isEqualTo(chunk);
        }
        extractor.end();
        return new ExtractedUsage(extractor.usage(), extractor.model(), extractor.contentEvents(), extractor.isComplete());
    }

    private static byte[][] singly(byte[] bytes) {
        var chunks = new byte[bytes.length][];
        for (int i = 0; i < bytes.length; i++) {
            chunks[i] = new byte[]{bytes[i]};
        }
        return chunks;
    }

    private static ExtractedUsage openAi(String body) {
        return read(UsageExtractor.of(Provider.OPENAI, Shape.CHAT, JSON, null), body.getBytes(StandardCharsets.UTF_8));
    }

    private static ExtractedUsage stream(Provider provider, String events) {
        return read(UsageExtractor.of(provider, Shape.OTHER, SSE, null), events.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] deflate(byte[] bytes, boolean raw) throws IOException {
        var out = new ByteArrayOutputStream();
        var deflater = new Deflater(9, raw);
        try (var deflate = new DeflaterOutputStream(out, deflater)) {
            deflate.write(bytes);
        }
        deflater.end();
        return out.toByteArray();
    }

    private static void cutEverywhere(Sample sample, byte[] bytes, String encoding) {
        assertThat(read(sample.reader(encoding), bytes)).isEqualTo(sample.expected);
        assertThat(read(sample.reader(encoding), singly(bytes))).isEqualTo(sample.expected);
        for (int cut = 0; cut <= bytes.length; cut++) {
            assertThat(read(sample.reader(encoding), Arrays.copyOf(bytes, cut),
                    Arrays.copyOfRange(bytes, cut, bytes.length))).as("cut at %d", cut).isEqualTo(sample.expected);
        }
    }

    @ParameterizedTest
    @EnumSource
    void usageIsReadHoweverItIsCut(Sample sample) throws IOException {
        cutEverywhere(sample, sample.bytes, null);
        cutEverywhere(sample, gzip(sample.bytes), "gzip");
        cutEverywhere(sample, deflate(sample.bytes, false), "deflate");
        cutEverywhere(sample, deflate(sample.bytes, true), "Deflate ");
    }

    @ParameterizedTest
    @EnumSource
    void lineEndsAndMarksDoNotMatter(Sample sample) {
        if (!sample.type.equals(SSE)) {
            return;
        }
        for (var lineEnd : new String[]{"\r\n", "\r", "\n"}) {
            var text = "\uFEFF" + new String(sample.bytes, StandardCharsets.UTF_8).replace("\n", lineEnd);
            cutEverywhere(sample, text.getBytes(StandardCharsets.UTF_8), "identity");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsCutOffIsNotComplete(Sample sample) throws IOException {
        var zipped = gzip(sample.bytes);
        for (int length = 0; length < sample.bytes.length; length++) {
            var extracted = read(sample.reader(null), Arrays.copyOf(sample.bytes, length));
            if (extracted.complete) {
                assertThat(extracted).isEqualTo(sample.expected);
            }
            // A truncated document reports nothing; a truncated list may have reported usage before.
            if (sample.type.equals(JSON) && sample != Sample.GEMINI_LIST && !extracted.complete) {
                assertThat(extracted.usage).isNull();
            }
        }
        for (int length = 0; length < zipped.length; length++) {
            assertThat(read(sample.reader("gzip"), Arrays.copyOf(zipped, length)).events)
                    .isLessThanOrEqualTo(sample.expected.events);
        }
    }

    @ParameterizedTest
    @CsvSource({"text/html,", "text/plain,", ",", "application/octet-stream,", "multipart/form-data,",
            "application/jsonl,", "application/json,br", "application/json,zstd", "application/json,'gzip, gzip'"})
    void whatIsNotKnownIsNotRead(String type, String encoding) {
        assertThat(read(UsageExtractor.of(Provider.OPENAI, Shape.CHAT, type, encoding), Sample.CHAT.bytes))
                .isEqualTo(new ExtractedUsage(null, null, 0, false));
    }

    @Test
    void acceptsContentTypesInAnyNotation() {
        for (var type : new String[]{"Application/JSON ;charset=utf-8", "application/problem+json"}) {
            assertThat(read(UsageExtractor.of(Provider.OPENAI, Shape.CHAT, type, ""), Sample.CHAT.bytes))
                    .isEqualTo(Sample.CHAT.expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "<html><body>Bad gateway</body></html>", "null", "12", "\"usage\"", "[]", "{",
            "{\"usage\":null}", "{\"usage\":{}}", "{\"usage\":5}", "{\"usage\":[{\"prompt_tokens\":5}]}",
            "[{\"usage\":{\"prompt_tokens\":5}}]", "{\"a\":{\"usage\":{\"prompt_tokens\":5}}}",
            "{\"usage\":{\"prompt_tokens\":-1}}", "{\"usage\":{\"prompt_tokens\":1000000000000}}",
            "{\"usage\":{\"prompt_tokens\":1e3}}", "{\"usage\":{\"prompt_tokens\":5.0}}",
            "{\"usage\":{\"prompt_tokens\":\"5\"}}", "{\"usage\":{\"prompt_tokens\":{}}}",
            "{\"usage\":{\"prompt_tokens\":[]}}", "{\"usage\":{\"prompt_tokens\":true}}",
            "{\"usage\":{\"prompt_tokens\":99999999999999999999999}}",
            "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":-3}}",
            "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":100000001}}",
            "{\"usage\":{\"prompt_tokens\":5},\"usage\":null}", "{\"usage\":{\"prompt_tokens\":5}",
            "{\"error\":{\"message\":\"no\"}}", "{'usage':{}}"})
    void whatCannotBeTrueIsNoUsage(String body) {
        assertThat(openAi(body).usage).isNull();
        assertThat(stream(Provider.OPENAI, "data: " + body + "\n\n").usage).isNull();
        assertThat(stream(Provider.ANTHROPIC,
                "data: " + body.replace("prompt", "input").replace("completion", "output") + "\n\n").usage).isNull();
        assertThat(stream(Provider.GEMINI, "data: " + body.replace("usage", "usageMetadata")
                .replace("prompt_tokens", "promptTokenCount").replace("completion_tokens", "thoughtsTokenCount")
                + "\n\n").usage).isNull();
    }

    @ParameterizedTest
    @CsvSource({"-5,0,0", "50,10,0", "1000000000000,10,0", "1.5,0,0", "3,3,7"})
    void partsAreCutToTheInput(String cached, long cachedInput, long cacheWrite) {
        assertThat(openAi("{\"usage\":{\"prompt_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":" + cached
                + ",\"cache_write_tokens\":" + (cacheWrite > 0 ? "1000" : "-2") + "}}}").usage)
                .isEqualTo(new TokenUsage(10, cachedInput, cacheWrite, 0, 0));
    }

    @Test
    void acceptsInputOrOutputAlone() {
        assertThat(openAi("{\"usage\":{\"completion_tokens\":7}}").usage).isEqualTo(TokenUsage.of(0, 7));
        assertThat(openAi("{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":null}}").usage)
                .isEqualTo(TokenUsage.of(7, 0));
        assertThat(openAi("{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},\"usage\":{\"prompt_tokens\":7}}").usage)
                .isEqualTo(TokenUsage.of(7, 0));
    }

    @Test
    void laterUsageReplacesEarlier() {
        assertThat(stream(Provider.GEMINI, """
                data: {"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6}}

                data: {"usageMetadata":{"promptTokenCount":7}}

                data: {"candidates":[]}

                """)).isEqualTo(new ExtractedUsage(TokenUsage.of(7, 0), null, 0, false));
        assertThat(stream(Provider.GEMINI, """
                data: {"usageMetadata":{"promptTokenCount":5}}

                data: {"usageMetadata":{"promptTokenCount":-7}}

                """).usage).isNull();
        assertThat(stream(Provider.ANTHROPIC, """
                data: {"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}

                data: {"type":"message_delta","usage":{"output_tokens":-1}}

                """).usage).isNull();
    }

    @Test
    void blockedResponseIsComplete() {
        assertThat(stream(Provider.GEMINI,
                "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":5}}\n\n"))
                .isEqualTo(new ExtractedUsage(TokenUsage.of(5, 0), null, 0, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"response.completed", "response.incomplete", "response.failed"})
    void responsesEndInThreeWays(String type) {
        assertThat(stream(Provider.OPENAI,
                "data: {\"type\":\"" + type + "\",\"response\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n"))
                .isEqualTo(new ExtractedUsage(TokenUsage.of(5, 1), null, 0, true));
    }

    @Test
    void followsSseFraming() {
        assertThat(stream(Provider.OPENAI, """
                id: 1
                retry: 5
                data: {"usage":
                data:{"prompt_tokens":
                data
                data: 5}}

                """).usage).isEqualTo(TokenUsage.of(5, 0));
        assertThat(stream(Provider.OPENAI, "\n\n\ndata: {\"usage\":{\"prompt_tokens\":5}}").usage)
                .isEqualTo(TokenUsage.of(5, 0));
        for (var line : new String[]{"datax: ", "dat: ", "Data: ", " data: ", ":data: ", "event: ", "data data: ",
                "data: x", "data:  "}) {
            assertThat(stream(Provider.OPENAI, line + "{\"usage\":{\"prompt_tokens\":5}}\n\n").usage).as(line).isNull();
        }
    }

    @Test
    void invalidEventDoesNotAffectOthers() {
        for (var broken : new String[]{"{", "{\"a\":" + "[".repeat(5000), "{\"a\":" + "1".repeat(5000) + "}", "{]",
                "{\"a\":\"\u0001\"}", "{\"" + "a".repeat(100_000) + "\":1}", "{\"a\":1}}", "[DONE", "[DONE]"}) {
            assertThat(stream(Provider.OPENAI,
                    "data: " + broken + "\n\ndata: {\"usage\":{\"prompt_tokens\":5}}\n\n").usage).as(broken)
                    .isEqualTo(TokenUsage.of(5, 0));
        }
    }

    @Test
    void skipsLongStrings() {
        for (var unit : new String[]{"a", "é", "€", "😀", "\\u20ac", "\\\"", "\\\\", "a\\\\€\\n\\ud83d\\ude00\\\""}) {
            for (int shift = 0; shift < 16; shift++) {
                var text = "x".repeat(shift) + unit.repeat(1100);
                assertThat(openAi("{\"model\":\"m\",\"a\":[\"" + text + "\",{\"" + text + "\":\"" + text
                        + "\"}],\"usage\":{\"prompt_tokens\":5}}")).as(unit + shift)
                        .isEqualTo(new ExtractedUsage(TokenUsage.of(5, 0), "m", 0, true));
            }
        }
        assertThat(openAi("{\"model\":\"" + "m".repeat(10_000) + "\"}")).isEqualTo(new ExtractedUsage(null, null, 0, true));
    }

    @Test
    void trailingDataMakesDocumentIncomplete() {
        for (var rest : new String[]{"x", "{}", "}", "]", ",", "1"}) {
            assertThat(openAi("{\"usage\":{\"prompt_tokens\":5}} " + rest).complete).as(rest).isFalse();
        }
    }

    @Test
    void toleratesInvalidCompressedData() {
        assertThat(read(Sample.CHAT.reader("gzip"), Sample.CHAT.bytes)).isEqualTo(new ExtractedUsage(null, null, 0, false));
        assertThat(read(Sample.CHAT.reader("gzip"), singly(Sample.CHAT.bytes)))
                .isEqualTo(new ExtractedUsage(null, null, 0, false));
        assertThat(read(Sample.CHAT.reader("deflate"), Sample.CHAT.bytes)).isEqualTo(new ExtractedUsage(null, null, 0, false));
        assertThat(read(Sample.CHAT.reader("gzip"))).isEqualTo(new ExtractedUsage(null, null, 0, false));
    }

    @Test
    void ignoresDataAfterEnd() {
        var extractor = Sample.CHAT_STREAM.reader(null);
        extractor.end();
        extractor.end();
        assertThat(read(extractor, Sample.CHAT_STREAM.bytes)).isEqualTo(new ExtractedUsage(null, null, 0, false));
    }
}
