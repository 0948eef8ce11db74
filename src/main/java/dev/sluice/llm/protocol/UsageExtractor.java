package dev.sluice.llm.protocol;

import java.util.Locale;

import dev.sluice.llm.protocol.json.StreamingJsonReader;
import dev.sluice.llm.protocol.stream.ByteSink;
import dev.sluice.llm.protocol.stream.DecompressingSink;
import dev.sluice.llm.protocol.stream.SseDecoder;
import io.vertx.core.buffer.Buffer;

/**
 * Extracts the usage from a response while its bytes are forwarded, without buffering or changing them. Ignores what it
 * cannot read and never throws. Not thread-safe.
 */
public final class UsageExtractor {

    private final UsageAccumulator accumulator;
    /** Reader of a JSON document; null for an event stream or an unknown format. */
    private final StreamingJsonReader json;
    /** True if the response is audio, which contains no usage. */
    private final boolean audio;
    /** Null if nothing is read, or nothing more. */
    private ByteSink sink;

    private UsageExtractor(UsageAccumulator accumulator, StreamingJsonReader json, ByteSink sink) {
        this(accumulator, json, sink, false);
    }

    private UsageExtractor(UsageAccumulator accumulator, StreamingJsonReader json, ByteSink sink, boolean audio) {
        this.audio = audio;
        this.accumulator = accumulator;
        this.json = json;
        this.sink = sink;
    }

    /**
     * Creates an extractor for a response.
     *
     * @param provider the provider that responds
     * @param shape the operation's format
     * @param contentType the response's {@code Content-Type}; may be null
     * @param contentEncoding the response's {@code Content-Encoding}; may be null
     * @return the extractor; finds nothing if the type or the encoding is unknown
     */
    public static UsageExtractor of(Provider provider, ProviderOperation.Shape shape, String contentType,
            String contentEncoding) {
        return of(provider, shape, contentType, contentEncoding, Long.MAX_VALUE);
    }

    /**
     * Creates an extractor for a response that may be a decompression bomb.
     *
     * @param provider the provider that responds
     * @param shape the operation's format
     * @param contentType the response's {@code Content-Type}; may be null
     * @param contentEncoding the response's {@code Content-Encoding}; may be null
     * @param maxInflatedBytes a response that inflates to more, and to more than {@value DecompressingSink#MAX_RATIO} times its
     * size, is not read any further
     * @return the extractor; finds nothing if the type or the encoding is unknown
     */
    public static UsageExtractor of(Provider provider, ProviderOperation.Shape shape, String contentType,
            String contentEncoding, long maxInflatedBytes) {
        var accumulator = accumulator(provider, shape);
        var type = withoutParameters(contentType);
        if (type.equals("text/event-stream")) {
            var events = new SseDecoder(new SseJsonHandler(accumulator));
            return new UsageExtractor(accumulator, null, decompressing(contentEncoding, events, maxInflatedBytes));
        }
        if (type.equals("application/json") || type.endsWith("+json")) {
            // Without alt=sse, Gemini streams a JSON array.
            var json = new StreamingJsonReader(accumulator.paths(),
                    provider.is(ProviderType.GEMINI) && !shape.isOpenAiForm(), accumulator::read);
            return new UsageExtractor(accumulator, json, decompressing(contentEncoding, json, maxInflatedBytes));
        }
        boolean audio = shape == ProviderOperation.Shape.SPEECH
                && (type.startsWith("audio/") || type.equals("application/octet-stream"));
        return new UsageExtractor(accumulator, null, null, audio);
    }

    private static UsageAccumulator accumulator(Provider provider, ProviderOperation.Shape shape) {
        if (shape.isOpenAiForm()) {
            return new OpenAiUsage(shape);
        }
        return switch (provider.type()) {
            case OPENAI -> new OpenAiUsage(shape);
            case ANTHROPIC -> new AnthropicUsage();
            case GEMINI -> new GeminiUsage(shape);
        };
    }

    /**
     * Reads the next bytes of the response.
     *
     * @param chunk the bytes, cut anywhere; not changed
     */
    public void feed(Buffer chunk) {
        if (sink != null) {
            var bytes = chunk.getBytes();
            sink.write(bytes, 0, bytes.length);
        }
    }

    /** Ends the response, whether complete or not. Further bytes are ignored. */
    public void end() {
        if (sink != null) {
            sink.end();
            sink = null;
        }
    }

    /**
     * Returns the usage reported so far.
     *
     * @return the usage; null if none, or an implausible one, has been reported
     */
    public TokenUsage usage() {
        return accumulator.usage();
    }

    /**
     * Returns the parts of the usage that make its cost differ from that of its tokens.
     *
     * @return valid with {@link #usage}
     */
    public UsageDetails details() {
        return accumulator.details();
    }

    /**
     * Returns whether the response reports an error and nothing that the provider bills.
     *
     * @return false as soon as there was content
     */
    public boolean isFailure() {
        return accumulator.failed() && accumulator.contentEvents() == 0 && !accumulator.isBilledAfterFailure();
    }

    /**
     * Returns the model named in the response.
     *
     * @return the model's name; null if the response names none
     */
    public String model() {
        return accumulator.model();
    }

    /**
     * Returns the id of the response, with which it can be requested again.
     *
     * @return the id; null if the response has none or is not one of OpenAI's Responses
     */
    public String storedId() {
        return accumulator.storedId();
    }

    /**
     * Returns the latest status of one of OpenAI's Responses.
     *
     * @return such as {@code queued} or {@code completed}; null if it is not known
     */
    public String storedStatus() {
        return accumulator.storedStatus();
    }

    /**
     * Returns the number of events with content so far.
     *
     * @return the number of events; 0 for a response that is not a stream
     */
    public long contentEvents() {
        return json == null || json.isList() ? accumulator.contentEvents() : 0;
    }

    /**
     * Returns the output tokens of a stream, estimated by the text that has passed: content, reasoning, arguments of tool calls.
     *
     * @return the tokens, at least 1 after an event with content; 0 if nothing is known
     */
    public long outputTokens() {
        return contentEvents() == 0 ? 0 : Math.max(1, accumulator.outputTokens());
    }

    /**
     * Returns whether the response has reached its own end and was not cut off.
     *
     * @return true if the last event, or the whole document, has been read; true for audio, whose end contains no usage
     */
    public boolean isComplete() {
        if (audio) {
            return true;
        }
        return json == null ? accumulator.finished() : json.isComplete();
    }

    /**
     * Returns whether a stream of images has ended before the last of them. Each has a final event of its own.
     *
     * @param requested number of images that were requested
     * @return false if there was none: the response may not be a stream of images
     */
    public boolean isCutWithin(long requested) {
        return accumulator.images() > 0 && accumulator.images() < requested;
    }

    /** @return null if the encoding is unknown */
    private static ByteSink decompressing(String encoding, ByteSink plain, long maxInflatedBytes) {
        return switch (withoutParameters(encoding)) {
            case "", "identity" -> plain;
            case "gzip", "x-gzip" -> DecompressingSink.gzip(plain, maxInflatedBytes);
            case "deflate" -> DecompressingSink.deflate(plain, maxInflatedBytes);
            default -> null;
        };
    }

    /** Returns a header's value in lower case, without its parameters. */
    private static String withoutParameters(String header) {
        if (header == null) {
            return "";
        }
        int end = header.indexOf(';');
        return (end < 0 ? header : header.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }
}
