package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import dev.sluice.llm.estimate.TextTokens;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.rewrite.UsageChunkFilter;
import dev.sluice.llm.protocol.stream.ByteSink;
import dev.sluice.llm.protocol.stream.DecompressingSink;
import io.vertx.core.buffer.Buffer;

/** Verifies that memory use is independent of a response's length. */
@Timeout(60)
class FlatMemoryTest {

    private static final int LENGTH = 200 << 20;
    private static final long LITTLE = 8 << 20;
    private static final String SSE = "text/event-stream";

    private static final Buffer EVENTS = repeat(
            """
                    data: {"id":"chatcmpl-123456789","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"usage":null}

                    """);
    private static final Buffer LETTERS = repeat("abcdefgh");
    private static final Buffer LAST = Buffer.buffer("""

            data: {"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}

            data: [DONE]

            """);

    /** The vocabulary of the estimates is shared by all responses. */
    @BeforeAll
    static void loadVocabulary() {
        TextTokens.awaitVocabulary();
    }

    private static Buffer repeat(String text) {
        return Buffer.buffer(text.repeat((64 << 10) / text.length()));
    }

    private static long feed(Buffer chunk, Consumer<Buffer> feed) {
        long before = used();
        for (long fed = 0; fed < LENGTH; fed += chunk.length()) {
            feed.accept(chunk);
        }
        return used() - before;
    }

    private static long used() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static UsageExtractor reader(String type, String encoding) {
        return UsageExtractor.of(Provider.OPENAI, Shape.CHAT, type, encoding);
    }

    private static void tellsUsage(UsageExtractor reader) {
        reader.feed(LAST);
        reader.end();
        assertThat(reader.usage()).isEqualTo(TokenUsage.of(5, 6));
        assertThat(reader.isComplete()).isTrue();
    }

    @Test
    void readsManyEvents() {
        var reader = reader(SSE, null);
        assertThat(feed(EVENTS, reader::feed)).isLessThan(LITTLE);
        assertThat(reader.contentEvents()).isGreaterThan(1_000_000);
        tellsUsage(reader);
    }

    @Test
    void readsHugeEvents() {
        var reader = reader(SSE, null);
        reader.feed(Buffer.buffer("data: {\"a\":\""));
        assertThat(feed(LETTERS, reader::feed)).isLessThan(LITTLE);
        reader.feed(Buffer.buffer("\"}\n\n"));
        reader.feed(Buffer.buffer("data: "));
        assertThat(feed(LETTERS, reader::feed)).isLessThan(LITTLE);
        reader.feed(Buffer.buffer("\n\n"));
        assertThat(feed(LETTERS, reader::feed)).isLessThan(LITTLE);
        tellsUsage(reader);
    }

    @Test
    void readsHugeDocuments() {
        var reader = reader("application/json", null);
        reader.feed(Buffer.buffer("{\"choices\":[\""));
        assertThat(feed(LETTERS, reader::feed)).isLessThan(LITTLE);
        reader.feed(Buffer.buffer("\"],\"usage\":{\"prompt_tokens\":5},\"names\":{\"n\":0"));
        var number = new int[1];
        assertThat(feed(LETTERS, chunk -> {
            var names = new StringBuilder();
            while (names.length() < 64 << 10) {
                names.append(",\"n").append(number[0]++).append("\":1");
            }
            reader.feed(Buffer.buffer(names.toString()));
        })).isLessThan(LITTLE);
        reader.feed(Buffer.buffer("}}"));
        reader.end();
        assertThat(reader.usage()).isEqualTo(TokenUsage.of(5, 0));
        assertThat(reader.isComplete()).isTrue();
    }

    @Test
    void decompressesZipBombInChunks() throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write("data: {\"a\":\"".getBytes(StandardCharsets.UTF_8));
            var zeros = "0".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < LENGTH >> 20; i++) {
                gzip.write(zeros);
            }
            gzip.write("\"}\n\n".getBytes(StandardCharsets.UTF_8));
            gzip.write(LAST.getBytes());
        }
        var bomb = Buffer.buffer(out.toByteArray());
        var reader = reader(SSE, "gzip");
        var largest = new int[1];
        DecompressingSink.gzip(new ByteSink() {
            @Override
            public void write(byte[] bytes, int from, int to) {
                largest[0] = Math.max(largest[0], bytes.length);
            }

            @Override
            public void end() {
            }
        }, Long.MAX_VALUE).write(bomb.getBytes(), 0, bomb.length());
        assertThat(largest[0]).isBetween(1, 1 << 20);
        reader.feed(bomb);
        reader.end();
        assertThat(reader.usage()).isEqualTo(TokenUsage.of(5, 6));
        assertThat(reader.isComplete()).isTrue();
    }

    @Test
    void stopsZipBombAtTheLimit() throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write("data: {\"a\":\"".getBytes(StandardCharsets.UTF_8));
            gzip.write("0".repeat(4 << 20).getBytes(StandardCharsets.UTF_8));
            gzip.write("\"}\n\n".getBytes(StandardCharsets.UTF_8));
            gzip.write(LAST.getBytes());
        }
        for (int limit : new int[]{1 << 20, 8 << 20}) {
            var reader = UsageExtractor.of(Provider.OPENAI, Shape.CHAT, SSE, "gzip", limit);
            reader.feed(Buffer.buffer(out.toByteArray()));
            reader.end();
            assertThat(reader.usage()).isEqualTo(limit > 4 << 20 ? TokenUsage.of(5, 6) : null);
        }
    }

    @Test
    void readsLargeResponsesOfAnOrdinaryRatio() throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            var random = new Random(1);
            for (int i = 0; i < 2000; i++) {
                gzip.write(("data: {\"a\":" + random.nextLong() + "}\n\n").getBytes(StandardCharsets.UTF_8));
            }
            gzip.write(LAST.getBytes());
        }
        var reader = UsageExtractor.of(Provider.OPENAI, Shape.CHAT, SSE, "gzip", 1000);
        reader.feed(Buffer.buffer(out.toByteArray()));
        reader.end();
        assertThat(reader.usage()).isEqualTo(TokenUsage.of(5, 6));
    }

    @Test
    void filtersManyEvents() {
        var stripper = new UsageChunkFilter();
        var passed = new long[1];
        assertThat(feed(EVENTS, chunk -> passed[0] += stripper.feed(chunk).length())).isLessThan(LITTLE);
        assertThat(passed[0]).isBetween(LENGTH * 9L / 10, (long) LENGTH);
        assertThat(stripper.feed(LAST).toString()).isEqualTo("\ndata: [DONE]\n\n");
    }

    @Test
    void forwardsHugeEvents() {
        var stripper = new UsageChunkFilter();
        var passed = new long[1];
        assertThat(feed(LETTERS, chunk -> passed[0] += stripper.feed(chunk).length())).isLessThan(LITTLE);
        assertThat(passed[0]).isEqualTo(LENGTH);
        assertThat(stripper.feed(Buffer.buffer("\n\n")).toString()).isEqualTo("\n\n");
        assertThat(stripper.feed(LAST).toString()).isEqualTo("\ndata: [DONE]\n\n");
    }
}
