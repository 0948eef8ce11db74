package dev.sluice.llm.protocol.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.buffer.Buffer;

class UsageChunkFilterTest {

    private static final String STREAM = """
            : hello

            data: {"id":"c","choices":[{"index":0,"delta":{"content":"Grüße 😀 \\"usage\\":null"}}],"usage":null}

            data: {"usage":null,"id":"c","choices":[{"delta":{"usage":null}}]}

            event: x
            data:{"id":"c", "usage" : null , "choices":[{"delta":{"usage":{}}},[1,[2]]]}

            data: {"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}

            data: {"id":"c","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":3}}

            data: [DONE]

            """;
    private static final String STRIPPED = """
            : hello

            data: {"id":"c","choices":[{"index":0,"delta":{"content":"Grüße 😀 \\"usage\\":null"}}]}

            data: {"id":"c","choices":[{"delta":{"usage":null}}]}

            event: x
            data:{"id":"c" , "choices":[{"delta":{"usage":{}}},[1,[2]]]}

            data: {"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}

            data: [DONE]

            """;

    private static byte[] strip(byte[]... chunks) {
        var stripper = new UsageChunkFilter();
        var out = Buffer.buffer();
        for (var chunk : chunks) {
            out.appendBuffer(stripper.feed(Buffer.buffer(chunk)));
        }
        return out.appendBuffer(stripper.end()).getBytes();
    }

    private static String strip(String text) {
        return new String(strip(utf8(text)), StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] singly(byte[] bytes) {
        var stripper = new UsageChunkFilter();
        var out = Buffer.buffer();
        for (byte b : bytes) {
            out.appendBuffer(stripper.feed(Buffer.buffer(new byte[]{b})));
        }
        return out.appendBuffer(stripper.end()).getBytes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n", "\r"})
    void usageIsTakenOutHoweverItIsCut(String lineEnd) {
        for (var mark : new String[]{"", "\uFEFF"}) {
            var stream = utf8(mark + STREAM.replace("\n", lineEnd));
            var stripped = utf8(mark + STRIPPED.replace("\n", lineEnd));
            assertThat(strip(stream)).isEqualTo(stripped);
            assertThat(singly(stream)).isEqualTo(stripped);
            for (int cut = 0; cut <= stream.length; cut++) {
                assertThat(strip(Arrays.copyOf(stream, cut), Arrays.copyOfRange(stream, cut, stream.length)))
                        .as("cut at %d", cut).isEqualTo(stripped);
            }
        }
    }

    @Test
    void remainingDataIsJson() {
        assertThat(strip("data: {\"usage\":null}\n\n")).isEqualTo("data: {}\n\n");
        assertThat(strip("data: { \"usage\":null }\n\n")).isEqualTo("data: {  }\n\n");
        assertThat(strip("data: {\"usage\":null,\"usage\":null}\n\n")).isEqualTo("data: {}\n\n");
        assertThat(strip("data: {\"usage\":null,\"usage\":null, \"a\":1}\n\n")).isEqualTo("data: {\"a\":1}\n\n");
        assertThat(strip("data: {\"a\":1,\"usage\":null,\"usage\":null}\n\n")).isEqualTo("data: {\"a\":1}\n\n");
        assertThat(strip("data: {\"usage\":null,\"a\":1,\"usage\":null,\"b\":\"é\",\"us\\u0061ge\":null}\n\n"))
                .isEqualTo("data: {\"a\":1,\"b\":\"é\"}\n\n");
        assertThat(strip("data: {\"choices\":[],\"usage\":null}\n\n")).isEqualTo("data: {\"choices\":[]}\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "\r\n\r\n\r\n", ": ping\n\n", "data: [DONE]\n\n", "data: {\n\n",
            "data: {\"usage\":null\n\n", "data: {\"usage\":null}}\n\n", "data: {\"usage\":null} x\n\n", "data:\n\n",
            "data\n\n", "data: [{\"usage\":null}]\n\n", "event: e\ndata: {\"usage\":\ndata: null}\n\n",
            "data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":1}}\n\n", "data: {\"usage\":{}}\n\n",
            "data: {\"choices\":null,\"usage\":{}}\n\n", "data: {\"choices\":{\"a\":[]},\"usage\":{}}\n\n",
            "data: {\"choices\":[],\"choices\":[1,{\"a\":[]}],\"usage\":{}}\n\n", "data: {\"choices\":[[]],\"usage\":{}}\n\n",
            "data: {\"choices\":[],\"usage\":5}\n\n", "<html>\n\n</html>", "{\"choices\":[],\"usage\":{}}\n\n",
            "xdata: {\"usage\":null}\n\n", "data: {\"choices\":[{\"usage\":null}]}\n\n", "data: {\"choices\":[],\"usage\":{}"})
    void whatIsNotUnderstoodPasses(String text) {
        assertThat(strip(text)).isEqualTo(text);
        assertThat(singly(utf8(text))).isEqualTo(utf8(text));
    }

    @Test
    void acceptsLastEventWithoutTerminator() {
        assertThat(strip("data: {\"choices\":[],\"usage\":{}}")).isEmpty();
        assertThat(strip("data: {\"a\":1,\"usage\":null}\n")).isEqualTo("data: {\"a\":1}\n");
    }

    @Test
    void buffersOnlyTheOpenEvent() {
        var stripper = new UsageChunkFilter();
        assertThat(stripper.feed(Buffer.buffer("data: {\"a\":1}\n\ndata: {")).toString()).isEqualTo("data: {\"a\":1}\n\n");
        assertThat(stripper.feed(Buffer.buffer("\"b\":2}\n")).toString()).isEmpty();
        assertThat(stripper.feed(Buffer.buffer("\n")).toString()).isEqualTo("data: {\"b\":2}\n\n");
        assertThat(stripper.feed(Buffer.buffer("data: x\r\r")).toString()).isEqualTo("data: x\r\r");
        assertThat(stripper.feed(Buffer.buffer("\n")).toString()).isEqualTo("\n");
        assertThat(stripper.end().length()).isZero();
    }

    @Test
    void forwardsOversizedEventUnchanged() {
        var large = "data: {\"a\":\"" + "x".repeat(UsageChunkFilter.MAX_EVENT_BYTES) + "\",\"usage\":null}\n\n";
        var small = "data: {\"a\":\"" + "x".repeat(100_000) + "\",\"usage\":null}\n\n";
        var text = utf8(large + small + large);
        var expected = utf8(large + small.replace(",\"usage\":null", "") + large);
        assertThat(strip(text)).isEqualTo(expected);
        for (int size : new int[]{1000, 4096, 65_537}) {
            var chunks = new byte[text.length / size + 1][];
            for (int i = 0; i < chunks.length; i++) {
                chunks[i] = Arrays.copyOfRange(text, i * size, Math.min(text.length, (i + 1) * size));
            }
            assertThat(strip(chunks)).isEqualTo(expected);
        }
    }
}
