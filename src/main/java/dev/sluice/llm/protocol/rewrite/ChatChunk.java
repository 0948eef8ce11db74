package dev.sluice.llm.protocol.rewrite;

import java.io.IOException;
import java.util.Arrays;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.json.BodyJson;
import io.vertx.core.buffer.Buffer;

/** One event of an OpenAI chat stream whose caller has not requested the usage. */
final class ChatChunk {

    private static final byte[] DATA_FIELD = {'d', 'a', 't', 'a', ':'};
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final byte[] bytes;
    private final Buffer out;
    /** End of the bytes that have been copied or left out. */
    private int position;

    private ChatChunk(byte[] bytes, int from, Buffer out) {
        this.bytes = bytes;
        this.out = out;
        position = from;
    }

    /**
     * Copies an event without its usage.
     *
     * @param out receives the rest of the event
     * @return false if nothing is left: the event contained only the usage
     */
    static boolean removeUsage(byte[] bytes, int from, int to, Buffer out) {
        int dataStart = findData(bytes, from, to);
        if (dataStart >= 0 && bytes[dataStart] == '{') {
            var kept = Buffer.buffer(to - from);
            var event = new ChatChunk(bytes, from, kept);
            try (var parser = BodyJson.FACTORY.createParser(bytes, dataStart, endOfLine(bytes, dataStart, to) - dataStart)) {
                if (event.copyWithoutNullUsage(parser, dataStart)) {
                    return false;
                }
                event.copyTo(to);
                out.appendBuffer(kept);
                return true;
            } catch (IOException e) {
                // Not valid JSON: forwarded unchanged.
            }
        }
        out.appendBytes(bytes, from, to - from);
        return true;
    }

    /**
     * Copies the event up to its last member, without a null usage.
     *
     * @return whether the event contains the usage and no choices
     */
    private boolean copyWithoutNullUsage(JsonParser parser, int dataStart) throws IOException {
        boolean usage = false;
        boolean emptyChoices = false;
        boolean memberKept = false;
        boolean skipToNextMember = false;
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            int start = dataStart + tokenOffset(parser);
            if (skipToNextMember) {
                position = start;
                skipToNextMember = false;
            }
            var name = parser.currentName();
            var value = parser.nextToken();
            if (name.equals("usage")) {
                usage = value == JsonToken.START_OBJECT;
                if (value == JsonToken.VALUE_NULL) {
                    // Removes the comma before the member; for the first member, everything up to the next.
                    copyTo(memberKept ? commaBefore(start) : start);
                    position = dataStart + tokenOffset(parser) + value.asString().length();
                    skipToNextMember = !memberKept;
                    continue;
                }
            }
            memberKept = true;
            if (name.equals("choices")) {
                emptyChoices = value == JsonToken.START_ARRAY && isEmpty(parser);
            }
            parser.skipChildren();
        }
        if (parser.nextToken() != null) {
            throw new IOException("more than an object");
        }
        return usage && emptyChoices;
    }

    /** Returns whether the array that has just begun is empty, and reads it to its end. */
    private static boolean isEmpty(JsonParser parser) throws IOException {
        boolean empty = true;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            empty = false;
            parser.skipChildren();
        }
        return empty;
    }

    private void copyTo(int end) {
        if (end > position) {
            out.appendBytes(bytes, position, end - position);
            position = end;
        }
    }

    /** Returns the index of the comma before a member. Only white space can be between the two. */
    private int commaBefore(int nameStart) {
        int index = nameStart - 1;
        while (bytes[index] != ',') {
            index--;
        }
        return index;
    }

    private static int tokenOffset(JsonParser parser) {
        return (int) parser.currentTokenLocation().getByteOffset();
    }

    /** Returns the start of the event's data; -1 if it has none, or several lines of data. */
    private static int findData(byte[] bytes, int from, int to) {
        int dataStart = -1;
        int lineStart = startsWith(bytes, from, to, BYTE_ORDER_MARK) ? from + BYTE_ORDER_MARK.length : from;
        while (lineStart < to) {
            if (startsWith(bytes, lineStart, to, DATA_FIELD)) {
                int valueStart = lineStart + DATA_FIELD.length;
                valueStart += valueStart < to && bytes[valueStart] == ' ' ? 1 : 0;
                if (dataStart >= 0 || valueStart == to) {
                    return -1;
                }
                dataStart = valueStart;
            }
            lineStart = endOfLine(bytes, lineStart, to) + 1;
        }
        return dataStart;
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
