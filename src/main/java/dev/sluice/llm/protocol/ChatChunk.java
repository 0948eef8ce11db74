package dev.sluice.llm.protocol;

import java.io.IOException;
import java.util.Arrays;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import io.vertx.core.buffer.Buffer;

/** One event of a chat stream, on its way to a caller who did not ask for usage. */
final class ChatChunk {

    private static final byte[] DATA = {'d', 'a', 't', 'a', ':'};
    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final byte[] bytes;
    private final Buffer out;
    /** Up to where the event has passed, or has been left out. */
    private int passed;

    private ChatChunk(byte[] bytes, int from, Buffer out) {
        this.bytes = bytes;
        this.out = out;
        passed = from;
    }

    /**
     * @param out gets what passes of the event
     * @return false where nothing passes
     */
    static boolean strip(byte[] bytes, int from, int to, Buffer out) {
        int data = data(bytes, from, to);
        if (data >= 0 && bytes[data] == '{') {
            var stripped = Buffer.buffer(to - from);
            var event = new ChatChunk(bytes, from, stripped);
            try (var parser = LlmRequestParser.JSON.createParser(bytes, data, endOfLine(bytes, data, to) - data)) {
                if (event.onlyUsage(parser, data)) {
                    return false;
                }
                event.passTo(to);
                out.appendBuffer(stripped);
                return true;
            } catch (IOException e) {
                // Nothing that is understood here: it passes.
            }
        }
        out.appendBytes(bytes, from, to - from);
        return true;
    }

    /** Passes all but nulls of usage. @return whether it tells usage and nothing else */
    private boolean onlyUsage(JsonParser parser, int base) throws IOException {
        boolean usage = false;
        boolean empty = false;
        boolean keeps = false;
        boolean cutting = false;
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            int start = base + start(parser);
            if (cutting) {
                passed = start;
                cutting = false;
            }
            var name = parser.currentName();
            var value = parser.nextToken();
            if (name.equals("usage")) {
                usage = value == JsonToken.START_OBJECT;
                if (value == JsonToken.VALUE_NULL) {
                    // With the comma before it; the first member with all up to the next.
                    passTo(keeps ? comma(start) : start);
                    passed = base + start(parser) + value.asString().length();
                    cutting = !keeps;
                    continue;
                }
            }
            keeps = true;
            if (name.equals("choices")) {
                empty = value == JsonToken.START_ARRAY && isEmpty(parser);
            }
            parser.skipChildren();
        }
        if (parser.nextToken() != null) {
            throw new IOException("more than an object");
        }
        return usage && empty;
    }

    /** Reads the array that has just begun to its end. */
    private static boolean isEmpty(JsonParser parser) throws IOException {
        boolean empty = true;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            empty = false;
            parser.skipChildren();
        }
        return empty;
    }

    private void passTo(int end) {
        if (end > passed) {
            out.appendBytes(bytes, passed, end - passed);
            passed = end;
        }
    }

    /** Between two members there is nothing but a comma and white space. */
    private int comma(int nameStart) {
        int at = nameStart - 1;
        while (bytes[at] != ',') {
            at--;
        }
        return at;
    }

    private static int start(JsonParser parser) {
        return (int) parser.currentTokenLocation().getByteOffset();
    }

    /** Where the event's data begin; -1 where it has none, or several lines of them. */
    private static int data(byte[] bytes, int from, int to) {
        int data = -1;
        int line = startsWith(bytes, from, to, BOM) ? from + BOM.length : from;
        while (line < to) {
            if (startsWith(bytes, line, to, DATA)) {
                int value = line + DATA.length;
                value += value < to && bytes[value] == ' ' ? 1 : 0;
                if (data >= 0 || value == to) {
                    return -1;
                }
                data = value;
            }
            line = endOfLine(bytes, line, to) + 1;
        }
        return data;
    }

    private static int endOfLine(byte[] bytes, int from, int to) {
        int end = from;
        while (end < to && bytes[end] != '\n' && bytes[end] != '\r') {
            end++;
        }
        return end;
    }

    private static boolean startsWith(byte[] bytes, int from, int to, byte[] prefix) {
        return to - from >= prefix.length
                && Arrays.equals(bytes, from, from + prefix.length, prefix, 0, prefix.length);
    }
}
