package dev.sluice.llm.protocol;

import dev.sluice.llm.protocol.json.StreamingJsonReader;
import dev.sluice.llm.protocol.stream.ByteSink;

/** The data of one event after the other: JSON, or OpenAI's word that there will be no more. */
final class SseJsonHandler implements ByteSink {

    private static final String DONE = "[DONE]";

    private final UsageAccumulator tally;
    private final StringBuilder word = new StringBuilder(DONE.length());
    /** Kept from event to event, as long as it can be: there are many, and they are small. */
    private StreamingJsonReader json;
    private boolean isJson;

    SseJsonHandler(UsageAccumulator tally) {
        this.tally = tally;
    }

    @Override
    public void take(byte[] bytes, int from, int to) {
        if (!isJson && word.isEmpty() && from < to && bytes[from] == '{') {
            isJson = true;
            if (json == null) {
                json = new StreamingJsonReader(tally.wanted(), false, tally::take);
            }
        }
        if (isJson) {
            json.take(bytes, from, to);
            return;
        }
        for (int i = from; i < to && word.length() < DONE.length(); i++) {
            word.append((char) bytes[i]);
        }
    }

    @Override
    public void end() {
        if (isJson && !json.again()) {
            json.end();
            json = null;
        } else if (DONE.contentEquals(word)) {
            tally.done();
        }
        isJson = false;
        word.setLength(0);
    }
}
