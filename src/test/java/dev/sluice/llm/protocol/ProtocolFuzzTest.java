package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.rewrite.UsageChunkFilter;
import dev.sluice.llm.protocol.stream.SseEventReader;
import dev.sluice.testing.Fuzzer;
import io.vertx.core.buffer.Buffer;

/** Verifies that damaged requests and responses are parsed, rejected or ignored, and cause no other error. */
class ProtocolFuzzTest {

    private static final List<ProviderOperation> OPERATIONS = List.of(
            ProviderOperation.of(Provider.OPENAI, "POST", "/v1/chat/completions"),
            ProviderOperation.of(Provider.OPENAI, "POST", "/v1/responses"),
            ProviderOperation.of(Provider.OPENAI, "POST", "/v1/embeddings"),
            ProviderOperation.of(Provider.ANTHROPIC, "POST", "/v1/messages"),
            ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent"));
    private static final List<String> BODIES = List.of(
            """
                    {"model":"gpt-4o","stream":true,"n":2,"max_tokens":100,"stream_options":{"include_usage":false},"messages":[{"role":\
                    "user","content":[{"type":"text","text":"h\\u00e9llo"}]}]}""",
            """
                    {"model":"claude-opus-5","max_tokens":1024,"stream":true,"system":"x","messages":[]}""", """
                    {"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":10,"candidateCount":2}}""", """
                    {"stream":true,"model":"gpt-4o"}""", "[".repeat(2000) + "]".repeat(2000),
            "{\"a\":".repeat(1500) + "1" + "}".repeat(1500));
    private static final List<String> RESPONSES = List.of("""
            data: {"id":"a","model":"gpt-4o","choices":[{"delta":{"content":"x"}}],"usage":null}

            data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}}

            data: [DONE]

            """, """
            event: message_start
            data: {"type":"message_start","message":{"model":"claude-opus-5","usage":{"input_tokens":9,"output_tokens":1}}}

            event: content_block_delta
            data: {"type":"content_block_delta","delta":{"text":"x"}}

            event: message_stop
            data: {"type":"message_stop"}

            """,
            """
                    data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":9}}

                    """,
            """
                    {"model":"gpt-4o","usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12},"choices":[{}]}""",
            """
                    [{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}},{"modelVersion":"gemini-2.5-pro"}]""",
            """
                    event: response.completed
                    data: {"type":"response.completed","response":{"model":"gpt-5","usage":{"input_tokens":3,"output_tokens":4}}}

                    """);

    @Test
    void requestParserRejectsOrParses() {
        Fuzzer.run(10, random -> {
            var body = Buffer.buffer(Fuzzer.mutate(random, Fuzzer.bytes(Fuzzer.pick(random, BODIES))));
            for (var provider : Provider.BUILT_IN) {
                var operation = Fuzzer.pick(random, OPERATIONS);
                try {
                    var request = LlmRequestParser.parse(provider, operation, body);
                    var rewritten = request.bodyWithUsage();
                    LlmRequestParser.parse(provider, operation, rewritten);
                    assertThat(request.choices()).isBetween(1, 128);
                    assertThat(request.maxOutputTokens()).isBetween(-1L, TokenUsage.MAX);
                } catch (InvalidRequestBodyException e) {
                    assertThat(e.getMessage()).doesNotContain(Fuzzer.MARKER);
                }
            }
        });
    }

    @Test
    void usageExtractorNeverThrows() {
        Fuzzer.run(15, random -> {
            var response = Fuzzer.mutate(random, Fuzzer.bytes(Fuzzer.pick(random, RESPONSES).repeat(1 + random.nextInt(2))));
            var provider = Fuzzer.pick(random, Provider.BUILT_IN);
            var shape = Fuzzer.pick(random, List.of(Shape.values()));
            var type = Fuzzer.pick(random,
                    List.of("text/event-stream", "application/json", "text/event-stream; charset=x", "x"));
            assertThat(read(UsageExtractor.of(provider, shape, type, null), Fuzzer.split(random, response)))
                    .isEqualTo(read(UsageExtractor.of(provider, shape, type, ""), List.of(response)));
            var encoding = Fuzzer.pick(random, List.of("gzip", "deflate", "br", "identity"));
            read(UsageExtractor.of(provider, shape, type, encoding), Fuzzer.split(random, encoded(random, encoding, response)));
        });
    }

    private static byte[] encoded(Random random, String encoding, byte[] plain) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var encoder = encoding.equals("gzip") ? new GZIPOutputStream(out) : new DeflaterOutputStream(out)) {
            encoder.write(plain);
        }
        return Fuzzer.mutate(random, out.toByteArray());
    }

    private static List<String> read(UsageExtractor reader, List<byte[]> pieces) {
        for (var piece : pieces) {
            reader.feed(Buffer.buffer(piece));
        }
        reader.end();
        return List.of("" + reader.usage(), "" + reader.model(), "" + reader.contentEvents(), "" + reader.isComplete());
    }

    @Test
    void usageChunkFilterPreservesOtherBytes() {
        Fuzzer.run(10, random -> {
            var response = Fuzzer.mutate(random, Fuzzer.bytes(Fuzzer.pick(random, RESPONSES)));
            var expected = filtered(List.of(response));
            assertThat(filtered(Fuzzer.split(random, response))).isEqualTo(expected);
            assertThat(expected.length()).isLessThanOrEqualTo(response.length);
        });
    }

    private static Buffer filtered(List<byte[]> pieces) {
        var stripper = new UsageChunkFilter();
        var out = Buffer.buffer();
        pieces.forEach(piece -> out.appendBuffer(stripper.feed(Buffer.buffer(piece))));
        return out.appendBuffer(stripper.end());
    }

    @Test
    void sseEventReaderNeverThrows() {
        Fuzzer.run(5, random -> {
            var response = Fuzzer.mutate(random, Fuzzer.bytes(Fuzzer.pick(random, RESPONSES)));
            assertThat(events(Fuzzer.split(random, response))).isEqualTo(events(List.of(response)));
        });
    }

    private static List<String> events(List<byte[]> pieces) {
        var reader = new SseEventReader();
        var events = new ArrayList<String>();
        pieces.forEach(piece -> events.addAll(reader.feed(Buffer.buffer(piece))));
        events.addAll(reader.end());
        return events;
    }
}
