package dev.sluice.llm.protocol.stream;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import io.vertx.core.buffer.Buffer;

/** Splits a stream of server-sent events into the data of its events. Not thread-safe. */
public final class SseEventReader {

    private final SseDecoder decoder = new SseDecoder(new DataCollector());
    private List<String> events = new ArrayList<>();

    /**
     * Reads the next bytes of the stream.
     *
     * @param chunk the bytes, cut anywhere
     * @return the data of the events completed by them, in order
     */
    public List<String> feed(Buffer chunk) {
        var bytes = chunk.getBytes();
        decoder.write(bytes, 0, bytes.length);
        return takeEvents();
    }

    /**
     * Ends the stream.
     *
     * @return the data of a last event without a terminating empty line; otherwise empty
     */
    public List<String> end() {
        decoder.end();
        return takeEvents();
    }

    private List<String> takeEvents() {
        var taken = events;
        events = new ArrayList<>();
        return taken;
    }

    /** Collects the data of one event after the other. */
    private final class DataCollector implements ByteSink {

        private final ByteArrayOutputStream data = new ByteArrayOutputStream();

        @Override
        public void write(byte[] bytes, int from, int to) {
            data.write(bytes, from, to - from);
        }

        @Override
        public void end() {
            events.add(data.toString(StandardCharsets.UTF_8));
            data.reset();
        }
    }
}
