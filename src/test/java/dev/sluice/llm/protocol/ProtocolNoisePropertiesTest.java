package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.rewrite.UsageChunkFilter;
import io.vertx.core.buffer.Buffer;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/** Verifies that arbitrary bytes cause no error, and that results do not depend on how the bytes are cut. */
class ProtocolNoisePropertiesTest {

    private static final ProviderOperation CHAT = ProviderOperation.of(Provider.OPENAI, "POST", "/v1/chat/completions");

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[][] singly(byte[] bytes) {
        var chunks = new byte[bytes.length][];
        for (int i = 0; i < bytes.length; i++) {
            chunks[i] = new byte[]{bytes[i]};
        }
        return chunks;
    }

    private static byte[] strip(byte[]... chunks) {
        var stripper = new UsageChunkFilter();
        var out = Buffer.buffer();
        for (var chunk : chunks) {
            out.appendBuffer(stripper.feed(Buffer.buffer(chunk)));
        }
        return out.appendBuffer(stripper.end()).getBytes();
    }

    /** Result of an extractor. */
    private static List<String> read(UsageExtractor reader, byte[]... chunks) {
        for (var chunk : chunks) {
            reader.feed(Buffer.buffer(chunk));
        }
        reader.end();
        return List.of("" + reader.usage(), "" + reader.model(), "" + reader.contentEvents(), "" + reader.isComplete());
    }

    /** Jackson accepts a missing value or name when its bytes arrive one by one. */
    @Example
    void whatIsMissingBeforeABraceDoesNotDependOnTheCuts() {
        for (var text : List.of("{\"usage\":}", "{\"usage\": }", "{\"a\":1,}", "{\"a\":{\"b\":1, }}")) {
            var extracted = read(UsageExtractor.of(Provider.OPENAI, Shape.OTHER, "application/json", ""), utf8(text));
            assertThat(extracted.get(3)).as(text).isEqualTo("false");
            assertThat(read(UsageExtractor.of(Provider.OPENAI, Shape.OTHER, "application/json", ""), singly(utf8(text))))
                    .as(text).isEqualTo(extracted);
        }
    }

    @Property(tries = 500)
    void noiseNeverThrows(@ForAll Provider provider, @ForAll @Size(max = 30) byte[] noise, @ForAll byte[] raw) {
        var parts = new String[]{"data: ", "\n", "\r", "{", "}", "\"usage\":", "\"prompt_tokens\":", "1", ",", "[", "]",
                "\"message\":", "\"input_tokens\":", "\"usageMetadata\":", "\"\\", "é"};
        var text = new StringBuilder();
        for (byte b : noise) {
            text.append(parts[b & 15]);
        }
        for (var bytes : new byte[][]{raw, utf8(text.toString())}) {
            for (var type : new String[]{"text/event-stream", "application/json"}) {
                var extracted = read(UsageExtractor.of(provider, Shape.OTHER, type, ""), bytes);
                assertThat(read(UsageExtractor.of(provider, Shape.OTHER, type, ""), singly(bytes))).isEqualTo(extracted);
                for (var encoding : new String[]{"gzip", "deflate"}) {
                    // For invalid compressed data, the amount of output depends on how it is cut.
                    read(UsageExtractor.of(provider, Shape.OTHER, type, encoding), bytes);
                    read(UsageExtractor.of(provider, Shape.OTHER, type, encoding), singly(bytes));
                }
            }
        }
    }

    @Property(tries = 500)
    void noiseIsRejectedOrRewrittenWithoutLoss(@ForAll @Size(max = 12) byte[] noise, @ForAll byte[] raw) {
        var parts = new String[]{",", " ", "\"stream\":true,", "\"stream_options\":", "{\"include_usage\":", "null", "false",
                "}", "\"a\":[{}],", "\"include_usage\":false", "{}", "true", "\"é\":\"}\",", "{", "\n", "\"b\":1"};
        var text = new StringBuilder("{\"stream\":true,");
        for (byte b : noise) {
            text.append(parts[b & 15]);
        }
        for (var body : new Buffer[]{Buffer.buffer(raw), Buffer.buffer(text.toString()),
                Buffer.buffer(text.append("\"c\":1}").toString())}) {
            LlmRequest request;
            try {
                request = LlmRequestParser.parse(Provider.OPENAI, CHAT, body);
            } catch (InvalidRequestBodyException e) {
                continue;
            }
            var rewritten = request.bodyWithUsage();
            var reparsed = LlmRequestParser.parse(Provider.OPENAI, CHAT, rewritten);
            assertThat(reparsed.usageRequested()).as(body.toString()).isEqualTo(request.streaming() && reparsed.streaming()
                    && (request.usageRequested() || rewritten != body));
            assertThat(rewritten.length()).isBetween(body.length() - 1, body.length() + 40);
        }
    }

    @Property(tries = 300)
    void filteringIsIndependentOfChunking(@ForAll @Size(max = 40) byte[] noise,
            @ForAll @StringLength(max = 30) String text) {
        var parts = new String[]{"\n", "\r", "data: ", "{\"usage\":null", ",\"choices\":[]", ",\"usage\":{}", "}", "\uFEFF"};
        var stream = new StringBuilder();
        for (byte b : noise) {
            stream.append(parts[b & 7]).append((b & 0x78) == 0 ? text : "");
        }
        var bytes = utf8(stream.toString());
        var whole = strip(bytes);
        assertThat(strip(singly(bytes))).isEqualTo(whole);
        for (int cut = 0; cut <= bytes.length; cut += 3) {
            assertThat(strip(Arrays.copyOf(bytes, cut), Arrays.copyOfRange(bytes, cut, bytes.length))).isEqualTo(whole);
        }
    }
}
