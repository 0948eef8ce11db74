package dev.sluice.llm.wire;

import java.util.Locale;

import io.vertx.core.buffer.Buffer;

/**
 * Reads the usage from an answer as its bytes pass, without holding or changing them. What it cannot read it passes over:
 * it never throws.
 */
public final class UsageReader {

    private final Tally tally;
    /** The document; null where the answer is none. */
    private final JsonSkim json;
    /** Null where nothing is read, or no more. */
    private ByteSink bytes;

    private UsageReader(Tally tally, JsonSkim json, ByteSink bytes) {
        this.tally = tally;
        this.json = json;
        this.bytes = bytes;
    }

    /**
     * @param contentType of the answer; null where it names none
     * @param contentEncoding of the answer; null where it names none
     */
    public static UsageReader of(Provider provider, Operation.Shape shape, String contentType, String contentEncoding) {
        var tally = Tally.of(provider, shape);
        var type = token(contentType);
        if (type.equals("text/event-stream")) {
            var events = new EventLines(new EventData(tally));
            return new UsageReader(tally, null, decoded(contentEncoding, events));
        }
        if (type.equals("application/json") || type.endsWith("+json")) {
            // Without alt=sse Gemini streams a list.
            var json = new JsonSkim(tally.wanted(), provider == Provider.GEMINI, tally::take);
            return new UsageReader(tally, json, decoded(contentEncoding, json));
        }
        return new UsageReader(tally, null, null);
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
            case "gzip", "x-gzip" -> Inflating.gzip(plain);
            case "deflate" -> Inflating.deflate(plain);
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
