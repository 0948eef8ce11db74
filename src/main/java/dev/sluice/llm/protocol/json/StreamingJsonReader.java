package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.util.function.ObjLongConsumer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;

import dev.sluice.llm.protocol.stream.ByteSink;

/** Reads a JSON document that arrives in pieces, cut anywhere, and collects some of its fields. Not thread-safe. */
public final class StreamingJsonReader implements ByteSink {

    /** Without a table of names: it would grow with every name that a provider sends. */
    private static final JsonFactory JSON = JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private final JsonFieldCollector collector;
    private final LongStringTruncator truncator = new LongStringTruncator();
    private final JsonParser parser;
    private final ByteArrayFeeder feeder;
    private boolean failed;

    /**
     * @param paths the paths to collect
     * @param allowList whether an array of documents is accepted in place of one
     * @param onDocument receives the fields of each document at its end, and the bytes that were cut off the strings since the
     * last one
     */
    public StreamingJsonReader(JsonPaths paths, boolean allowList, ObjLongConsumer<JsonFields> onDocument) {
        collector = new JsonFieldCollector(paths, allowList, fields -> onDocument.accept(fields, truncator.takeDropped()));
        try {
            parser = JSON.createNonBlockingByteArrayParser();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        feeder = (ByteArrayFeeder) parser.getNonBlockingInputFeeder();
    }

    /** Reads the next bytes, and may change them. */
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
            // RuntimeException too: an error of the parser must not affect the response itself.
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

    /** Parses the bytes received so far. */
    private void parseAvailable() throws IOException {
        for (var token = parser.nextToken(); token != null && token != JsonToken.NOT_AVAILABLE; token = parser.nextToken()) {
            if (!collector.accept(token, parser)) {
                failed = true;
                return;
            }
        }
    }

    /**
     * Starts another document after a complete one.
     *
     * @return false if the previous one is incomplete or invalid
     */
    public boolean nextDocument() {
        return !failed && collector.nextDocument();
    }

    /**
     * Returns whether the document is complete and valid.
     *
     * @return true at the document's end
     */
    public boolean isComplete() {
        return collector.complete() && !failed;
    }

    /**
     * Returns whether an array of documents is read.
     *
     * @return false for a single document
     */
    public boolean isList() {
        return collector.isList();
    }
}
