package dev.sluice.llm.protocol.stream;

/** Takes a stream of server-sent events apart; each event's data goes on as it comes, then its end. */
public final class SseDecoder implements ByteSink {

    private static final byte[] FIELD = {'d', 'a', 't', 'a'};
    private static final int[] BOM = {0xEF, 0xBB, 0xBF};

    private enum In {
        NAME, COLON, VALUE, OTHER
    }

    private final ByteSink data;
    /** Whether the open event has data. */
    private boolean open;
    private In in = In.NAME;
    private int named;
    private boolean afterReturn;
    private int mark;

    public SseDecoder(ByteSink data) {
        this.data = data;
    }

    @Override
    public void take(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            boolean secondHalf = afterReturn && b == '\n';
            afterReturn = b == '\r';
            if (secondHalf || mark(b)) {
                continue;
            }
            if (b == '\n' || b == '\r') {
                endLine();
            } else if (in == In.NAME) {
                name(b);
            } else if (in == In.COLON && b == ' ') {
                in = In.VALUE;
            } else if (in != In.OTHER) {
                in = In.VALUE;
                int end = i + 1;
                while (end < to && bytes[end] != '\n' && bytes[end] != '\r') {
                    end++;
                }
                data.take(bytes, i, end);
                i = end - 1;
            }
        }
    }

    @Override
    public void end() {
        endEvent();
    }

    /** Whether the byte is of the mark that a stream may begin with. */
    private boolean mark(byte b) {
        if (mark < BOM.length && (b & 0xFF) == BOM[mark]) {
            mark++;
            return true;
        }
        mark = BOM.length;
        return false;
    }

    private void name(byte b) {
        if (named < FIELD.length && b == FIELD[named]) {
            named++;
        } else if (named == FIELD.length && b == ':') {
            beginData();
            in = In.COLON;
        } else {
            in = In.OTHER;
        }
    }

    private void beginData() {
        if (open) {
            data.take(new byte[]{'\n'}, 0, 1);
        }
        open = true;
    }

    private void endLine() {
        if (in == In.NAME && named == 0) {
            endEvent();
        } else if (in == In.NAME && named == FIELD.length) {
            beginData();
        }
        in = In.NAME;
        named = 0;
    }

    private void endEvent() {
        if (open) {
            data.end();
            open = false;
        }
    }
}
