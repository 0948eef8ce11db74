package dev.sluice.llm.protocol;

import java.util.Locale;

import dev.sluice.llm.protocol.json.StreamingJsonReader;
import dev.sluice.llm.protocol.stream.ByteSink;
import dev.sluice.llm.protocol.stream.DecompressingSink;
import dev.sluice.llm.protocol.stream.SseDecoder;
import io.vertx.core.buffer.Buffer;

/**
 * Reads the usage from an answer as its bytes pass, without holding or changing them. What it cannot read it passes over:
 * it never throws.
 */
public final class UsageExtractor {

    private final UsageAccumulator tally;
    /** The document; null where the answer is none. */
    private final StreamingJsonReader json;
    /** Null where nothing is read, or no more. */
    private ByteSink bytes;

    private UsageExtractor(UsageAccumulator tally, StreamingJsonReader json, ByteSink bytes) {
        this.tally = tally;
        this.json = json;
        this.bytes = bytes;
    }

    /**
     * @param contentType of the answer; null where it names none
     * @param contentEncoding of the answer; null where it names none
     */
    public static UsageExtractor of(Provider provider, ProviderOperation.Shape shape, String contentType,
            String contentEncoding) {
        var tally = UsageAccumulator.of(provider, shape);
        var type = token(contentType);
        if (type.equals("text/event-stream")) {
            var events = new SseDecoder(new SseJsonHandler(tally));
            return new UsageExtractor(tally, null, decoded(contentEncoding, events));
        }
        if (type.equals("application/json") || type.endsWith("+json")) {
            // Without alt=sse Gemini streams a list.
            var json = new StreamingJsonReader(tally.wanted(), provider == Provider.GEMINI, tally::take);
            return new UsageExtractor(tally, json, decoded(contentEncoding, json));
        }
        return new UsageExtractor(tally, null, null);
    }

    /** The next bytes of the answer. */
    public void feed(Buffer chunk) {
        if (bytes != null) {
            var copy = chunk.getBytes();
            bytes.take(copy, 0, copy.length);
        }
    }

    /** The answer has ended, or nobody waits for the rest. */
    public void end() {
        if (bytes != null) {
            bytes.end();
            bytes = null;
        }
    }

    /** The usage told so far; null where none was, or none that can be true. */
    public TokenUsage usage() {
        return tally.usage();
    }

    /** The model that the answer names; null where it names none. */
    public String model() {
        return tally.model();
    }

    /** How many events have carried content so far; of a document that is no stream, none. */
    public long events() {
        return json == null || json.list() ? tally.contents() : 0;
    }

    /** Whether the answer has come to its own end, and was not cut off. */
    public boolean complete() {
        return json == null ? tally.finished() : json.whole();
    }

    /** @return null where the encoding is not known */
    private static ByteSink decoded(String encoding, ByteSink plain) {
        return switch (token(encoding)) {
            case "", "identity" -> plain;
            case "gzip", "x-gzip" -> DecompressingSink.gzip(plain);
            case "deflate" -> DecompressingSink.deflate(plain);
            default -> null;
        };
    }

    /** What stands before the parameters. */
    private static String token(String header) {
        if (header == null) {
            return "";
        }
        int end = header.indexOf(';');
        return (end < 0 ? header : header.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }
}
