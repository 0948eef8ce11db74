package dev.sluice.llm.wire;

/** The data of one event: JSON, or OpenAI's word that there will be no more. */
final class EventData implements ByteSink {

    private static final String DONE = "[DONE]";

    private final Tally tally;
    private final StringBuilder word = new StringBuilder(DONE.length());
    private JsonSkim json;

    EventData(Tally tally) {
        this.tally = tally;
    }

    @Override
    public void take(byte[] bytes, int from, int to) {
        if (json == null && word.isEmpty() && from < to && bytes[from] == '{') {
            json = new JsonSkim(tally.wanted(), false, tally::take);
        }
        if (json != null) {
            json.take(bytes, from, to);
            return;
        }
        for (int i = from; i < to && word.length() < DONE.length(); i++) {
            word.append((char) bytes[i]);
        }
    }

    @Override
    public void end() {
        if (json != null) {
            json.end();
        } else if (DONE.contentEquals(word)) {
            tally.done();
        }
    }
}
