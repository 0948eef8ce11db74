package dev.sluice.llm.protocol.stream;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import io.vertx.core.buffer.Buffer;

/** Takes a stream of server-sent events apart into what their data say. */
public final class SseEventReader {

    private final SseDecoder lines = new SseDecoder(new Data());
    private List<String> whole = new ArrayList<>();

    /** @return the data of the events that have become whole, in order */
    public List<String> feed(Buffer chunk) {
        var bytes = chunk.getBytes();
        lines.take(bytes, 0, bytes.length);
        return take();
    }

    /** The stream has ended. @return the data of an event that no empty line has closed; otherwise nothing */
    public List<String> end() {
        lines.end();
        return take();
    }

    private List<String> take() {
        var events = whole;
        whole = new ArrayList<>();
        return events;
    }

    /** Of one event after the other. */
    private final class Data implements ByteSink {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public void take(byte[] all, int from, int to) {
            bytes.write(all, from, to - from);
        }

        @Override
        public void end() {
            whole.add(bytes.toString(StandardCharsets.UTF_8));
            bytes.reset();
        }
    }
}
