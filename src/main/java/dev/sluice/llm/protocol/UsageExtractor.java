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

    private final UsageAccumulator accumulator;
    /** The document; null where the answer is none. */
    private final StreamingJsonReader json;
    /** Null where nothing is read, or no more. */
    private ByteSink sink;

    private UsageExtractor(UsageAccumulator accumulator, StreamingJsonReader json, ByteSink sink) {
        this.accumulator = accumulator;
        this.json = json;
        this.sink = sink;
    }

    /**
     * @param contentType of the answer; null where it names none
     * @param contentEncoding of the answer; null where it names none
     */
    public static UsageExtractor of(Provider provider, ProviderOperation.Shape shape, String contentType,
            String contentEncoding) {
        var accumulator = UsageAccumulator.of(provider, shape);
        var type = withoutParameters(contentType);
        if (type.equals("text/event-stream")) {
            var events = new SseDecoder(new SseJsonHandler(accumulator));
            return new UsageExtractor(accumulator, null, decompressing(contentEncoding, events));
        }
        if (type.equals("application/json") || type.endsWith("+json")) {
            // Without alt=sse Gemini streams a list.
            var json = new StreamingJsonReader(accumulator.paths(), provider == Provider.GEMINI, accumulator::accept);
            return new UsageExtractor(accumulator, json, decompressing(contentEncoding, json));
        }
        return new UsageExtractor(accumulator, null, null);
    }

    /** The next bytes of the answer. */
    public void feed(Buffer chunk) {
        if (sink != null) {
            var bytes = chunk.getBytes();
            sink.write(bytes, 0, bytes.length);
        }
    }

    /** The answer has ended, or nobody waits for the rest. */
    public void end() {
        if (sink != null) {
            sink.end();
            sink = null;
        }
    }

    /** The usage told so far; null where none was, or none that can be true. */
    public TokenUsage usage() {
        return accumulator.usage();
    }

    /** The model that the answer names; null where it names none. */
    public String model() {
        return accumulator.model();
    }

    /** How many events have carried content so far; of a document that is no stream, none. */
    public long contentEvents() {
        return json == null || json.isList() ? accumulator.contentEvents() : 0;
    }

    /** Whether the answer has come to its own end, and was not cut off. */
    public boolean isComplete() {
        return json == null ? accumulator.finished() : json.isComplete();
    }

    /** @return null where the encoding is not known */
    private static ByteSink decompressing(String encoding, ByteSink plain) {
        return switch (withoutParameters(encoding)) {
            case "", "identity" -> plain;
            case "gzip", "x-gzip" -> DecompressingSink.gzip(plain);
            case "deflate" -> DecompressingSink.deflate(plain);
            default -> null;
        };
    }

    /** What stands before the parameters. */
    private static String withoutParameters(String header) {
        if (header == null) {
            return "";
        }
        int end = header.indexOf(';');
        return (end < 0 ? header : header.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }
}
