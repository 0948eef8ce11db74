package dev.sluice.llm.protocol.stream;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import io.vertx.core.buffer.Buffer;

/** Takes a stream of server-sent events apart into what their data say. */
public final class SseEventReader {

    private final SseDecoder decoder = new SseDecoder(new DataCollector());
    private List<String> events = new ArrayList<>();

    /** @return the data of the events that have become whole, in order */
    public List<String> feed(Buffer chunk) {
        var bytes = chunk.getBytes();
        decoder.write(bytes, 0, bytes.length);
        return takeEvents();
    }

    /** The stream has ended. @return the data of an event that no empty line has closed; otherwise nothing */
    public List<String> end() {
        decoder.end();
        return takeEvents();
    }

    private List<String> takeEvents() {
        var taken = events;
        events = new ArrayList<>();
        return taken;
    }

    /** Of one event after the other. */
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
