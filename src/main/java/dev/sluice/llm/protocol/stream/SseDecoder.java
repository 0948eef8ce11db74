package dev.sluice.llm.protocol.stream;

/**
 * Decodes a stream of server-sent events. The data of each event is forwarded as it arrives; the target's
 * {@link ByteSink#end} marks the end of the event. Not thread-safe.
 *
 * @see <a href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation">HTML: event
 * stream interpretation</a>
 */
public final class SseDecoder implements ByteSink {

    private static final byte[] DATA_FIELD = {'d', 'a', 't', 'a'};
    private static final int[] BYTE_ORDER_MARK = {0xEF, 0xBB, 0xBF};

    /** Part of the current line. */
    private enum LinePart {
        NAME, COLON, VALUE, OTHER
    }

    private final ByteSink data;
    /** True if the current event has data. */
    private boolean eventHasData;
    private LinePart linePart = LinePart.NAME;
    private int matchedNameBytes;
    private boolean afterCarriageReturn;
    private int byteOrderMarkBytes;

    /** @param data receives the data of the events */
    public SseDecoder(ByteSink data) {
        this.data = data;
    }

    @Override
    public void write(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            boolean lineFeedAfterReturn = afterCarriageReturn && b == '\n';
            afterCarriageReturn = b == '\r';
            if (lineFeedAfterReturn || skipByteOrderMark(b)) {
                continue;
            }
            if (b == '\n' || b == '\r') {
                endLine();
            } else if (linePart == LinePart.NAME) {
                acceptNameByte(b);
            } else if (linePart == LinePart.COLON && b == ' ') {
                linePart = LinePart.VALUE;
            } else if (linePart != LinePart.OTHER) {
                linePart = LinePart.VALUE;
                int end = i + 1;
                while (end < to && bytes[end] != '\n' && bytes[end] != '\r') {
                    end++;
                }
                data.write(bytes, i, end);
                i = end - 1;
            }
        }
    }

    @Override
    public void end() {
        endEvent();
    }

    /** Returns whether the byte belongs to the byte order mark that a stream may begin with. */
    private boolean skipByteOrderMark(byte b) {
        if (byteOrderMarkBytes < BYTE_ORDER_MARK.length && (b & 0xFF) == BYTE_ORDER_MARK[byteOrderMarkBytes]) {
            byteOrderMarkBytes++;
            return true;
        }
        byteOrderMarkBytes = BYTE_ORDER_MARK.length;
        return false;
    }

    private void acceptNameByte(byte b) {
        if (matchedNameBytes < DATA_FIELD.length && b == DATA_FIELD[matchedNameBytes]) {
            matchedNameBytes++;
        } else if (matchedNameBytes == DATA_FIELD.length && b == ':') {
            beginData();
            linePart = LinePart.COLON;
        } else {
            linePart = LinePart.OTHER;
        }
    }

    private void beginData() {
        if (eventHasData) {
            data.write(new byte[]{'\n'}, 0, 1);
        }
        eventHasData = true;
    }

    private void endLine() {
        if (linePart == LinePart.NAME && matchedNameBytes == 0) {
            endEvent();
        } else if (linePart == LinePart.NAME && matchedNameBytes == DATA_FIELD.length) {
            beginData();
        }
        linePart = LinePart.NAME;
        matchedNameBytes = 0;
    }

    private void endEvent() {
        if (eventHasData) {
            data.end();
            eventHasData = false;
        }
    }
}
