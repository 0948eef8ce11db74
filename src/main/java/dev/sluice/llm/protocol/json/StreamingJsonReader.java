package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;

import dev.sluice.llm.protocol.stream.ByteSink;

/** Skims a JSON document that comes in pieces, cut anywhere. */
public final class StreamingJsonReader implements ByteSink {

    /** It keeps no table of names: what providers send must not fill the memory. */
    private static final JsonFactory JSON = JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private final JsonFieldCollector collector;
    private final LongStringTruncator truncator = new LongStringTruncator();
    private final JsonParser parser;
    private final ByteArrayFeeder feeder;
    private boolean failed;

    /** For the parameters see {@link JsonFieldCollector}. */
    public StreamingJsonReader(JsonPaths paths, boolean allowList, Consumer<JsonFields> onDocument) {
        collector = new JsonFieldCollector(paths, allowList, onDocument);
        try {
            parser = JSON.createNonBlockingByteArrayParser();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        feeder = (ByteArrayFeeder) parser.getNonBlockingInputFeeder();
    }

    /** The bytes may be changed. */
    @Override
    public void write(byte[] bytes, int from, int to) {
        if (failed) {
            return;
        }
        int end = truncator.truncate(bytes, from, to);
        try {
            feeder.feedInput(bytes, from, end);
            parseAvailable();
        } catch (IOException | RuntimeException e) {
            // The latter too: whatever the parser makes of it, the answer itself passes on.
            failed = true;
        }
    }

    @Override
    public void end() {
        try (parser) {
            feeder.endOfInput();
            if (!failed) {
                parseAvailable();
            }
        } catch (IOException | RuntimeException e) {
            failed = true;
        }
    }

    @Override
    public void abort() {
        failed = true;
        end();
    }

    /** What has been fed so far. */
    private void parseAvailable() throws IOException {
        for (var token = parser.nextToken(); token != null && token != JsonToken.NOT_AVAILABLE; token = parser.nextToken()) {
            if (!collector.accept(token, parser)) {
                failed = true;
                return;
            }
        }
    }

    /** After a document that came whole: another one follows. @return false where there can be none */
    public boolean nextDocument() {
        return !failed && collector.nextDocument();
    }

    /** Whether the document came whole. */
    public boolean isComplete() {
        return collector.complete() && !failed;
    }

    /** Whether it is a list of documents. */
    public boolean isList() {
        return collector.isList();
    }
}
