package dev.sluice.llm.protocol;

import dev.sluice.llm.protocol.json.StreamingJsonReader;
import dev.sluice.llm.protocol.stream.ByteSink;

/** Handles the data of consecutive SSE events: JSON objects, or OpenAI's {@code [DONE]} marker. */
final class SseJsonHandler implements ByteSink {

    private static final String DONE_MARKER = "[DONE]";

    private final UsageAccumulator accumulator;
    private final StringBuilder marker = new StringBuilder(DONE_MARKER.length());
    /** Reused between events while possible: there are many small ones. */
    private StreamingJsonReader json;
    private boolean isJson;

    SseJsonHandler(UsageAccumulator accumulator) {
        this.accumulator = accumulator;
    }

    @Override
    public void write(byte[] bytes, int from, int to) {
        if (!isJson && marker.isEmpty() && from < to && bytes[from] == '{') {
            isJson = true;
            if (json == null) {
                json = new StreamingJsonReader(accumulator.paths(), false, accumulator::read);
            }
        }
        if (isJson) {
            json.write(bytes, from, to);
            return;
        }
        for (int i = from; i < to && marker.length() < DONE_MARKER.length(); i++) {
            marker.append((char) bytes[i]);
        }
    }

    @Override
    public void end() {
        if (isJson && !json.nextDocument()) {
            json.end();
            json = null;
        } else if (DONE_MARKER.contentEquals(marker)) {
            accumulator.onDoneMarker();
        }
        isJson = false;
        marker.setLength(0);
    }
}
