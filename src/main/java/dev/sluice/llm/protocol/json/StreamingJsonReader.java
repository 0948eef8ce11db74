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

    private final JsonFieldCollector finder;
    private final LongStringTruncator strings = new LongStringTruncator();
    private final JsonParser parser;
    private final ByteArrayFeeder feeder;
    private boolean broken;

    /** For the parameters see {@link JsonFieldCollector}. */
    public StreamingJsonReader(JsonPaths wanted, boolean lists, Consumer<JsonFields> whole) {
        finder = new JsonFieldCollector(wanted, lists, whole);
        try {
            parser = JSON.createNonBlockingByteArrayParser();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        feeder = (ByteArrayFeeder) parser.getNonBlockingInputFeeder();
    }

    /** The bytes may be changed. */
    @Override
    public void take(byte[] bytes, int from, int to) {
        if (broken) {
            return;
        }
        int end = strings.shorten(bytes, from, to);
        try {
            feeder.feedInput(bytes, from, end);
            read();
        } catch (IOException | RuntimeException e) {
            // The latter too: whatever the parser makes of it, the answer itself passes on.
            broken = true;
        }
    }

    @Override
    public void end() {
        try (parser) {
            feeder.endOfInput();
            if (!broken) {
                read();
            }
        } catch (IOException | RuntimeException e) {
            broken = true;
        }
    }

    @Override
    public void cut() {
        broken = true;
        end();
    }

    /** What has been fed so far. */
    private void read() throws IOException {
        for (var token = parser.nextToken(); token != null && token != JsonToken.NOT_AVAILABLE; token = parser.nextToken()) {
            if (!finder.take(token, parser)) {
                broken = true;
                return;
            }
        }
    }

    /** After a document that came whole: another one follows. @return false where there can be none */
    public boolean again() {
        return !broken && finder.again();
    }

    /** Whether the document came whole. */
    public boolean whole() {
        return finder.ended() && !broken;
    }

    /** Whether it is a list of documents. */
    public boolean list() {
        return finder.list();
    }
}
