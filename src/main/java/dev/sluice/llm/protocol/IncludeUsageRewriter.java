package dev.sluice.llm.protocol;

import java.io.IOException;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.protocol.json.BodyBytes;
import io.vertx.core.buffer.Buffer;

/**
 * Adds {@code "stream_options":{"include_usage":true}} to the body of an OpenAI chat stream. All other bytes are preserved.
 * The place is found while the body is parsed for its other fields, so that it is parsed once.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options">OpenAI:
 * stream_options</a>
 */
final class IncludeUsageRewriter {

    private static final String INCLUDE_USAGE = "\"include_usage\":true";
    private static final String OPTIONS = "{" + INCLUDE_USAGE + "}";

    /** Replaces bytes with a text. */
    private record Edit(int from, int to, String text) {

        static Edit insert(int at, String text) {
            return new Edit(at, at, text);
        }
    }

    /** Number of open objects and arrays. */
    private int depth;
    private int objectStart;
    private boolean empty = true;
    private boolean hasOptions;
    /** True from the field name {@code stream_options} to the next field of the document. */
    private boolean atOptions;
    private boolean inOptions;
    private int optionsStart;
    private boolean optionsEmpty;
    private boolean hasIncludeUsage;
    private boolean atIncludeUsage;
    /** The change within the options; null if none is necessary. The last of several options counts. */
    private Edit edit;

    /** Returns whether all occurrences of a field are rewritten to the same value. */
    static boolean rewrites(String path) {
        return path.equals("stream_options") || path.equals("stream_options.include_usage");
    }

    /** Reads the parser's current token. */
    void accept(JsonToken token, JsonParser parser) throws IOException {
        if (token == JsonToken.FIELD_NAME) {
            acceptName(parser);
        } else if (token.isStructEnd()) {
            depth--;
            if (depth == 1 && inOptions) {
                endOptions();
            }
        } else {
            acceptValue(token, parser);
            if (token.isStructStart()) {
                depth++;
            }
        }
    }

    /** Returns the body with the usage requested, which shares the bytes of the given one; the same body if it needs no change. */
    Buffer rewrite(Buffer body) {
        var change = hasOptions ? edit : Edit.insert(objectStart, "\"stream_options\":" + OPTIONS + (empty ? "" : ","));
        return change == null ? body : BodyBytes.replace(body, change.from(), change.to(), change.text());
    }

    private void acceptName(JsonParser parser) throws IOException {
        if (depth == 1) {
            empty = false;
            atOptions = parser.currentName().equals("stream_options");
            hasOptions |= atOptions;
        } else if (depth == 2 && inOptions) {
            optionsEmpty = false;
            atIncludeUsage = parser.currentName().equals("include_usage");
            hasIncludeUsage |= atIncludeUsage;
        }
    }

    private void acceptValue(JsonToken token, JsonParser parser) {
        if (depth == 0) {
            objectStart = tokenOffset(parser) + 1;
        } else if (depth == 1 && atOptions) {
            beginOptions(token, parser);
        } else if (depth == 2 && inOptions && atIncludeUsage) {
            boolean off = token == JsonToken.VALUE_FALSE || token == JsonToken.VALUE_NULL;
            edit = off ? replaceLiteral(token, parser, "true") : null;
        }
    }

    /** Begins a value of the options. One that is not an object is left unchanged: the provider rejects it. */
    private void beginOptions(JsonToken token, JsonParser parser) {
        inOptions = token == JsonToken.START_OBJECT;
        optionsStart = tokenOffset(parser) + 1;
        optionsEmpty = true;
        hasIncludeUsage = false;
        edit = token == JsonToken.VALUE_NULL ? replaceLiteral(token, parser, OPTIONS) : null;
    }

    private void endOptions() {
        inOptions = false;
        if (!hasIncludeUsage) {
            edit = Edit.insert(optionsStart, optionsEmpty ? INCLUDE_USAGE : INCLUDE_USAGE + ",");
        }
    }

    private static Edit replaceLiteral(JsonToken token, JsonParser parser, String text) {
        int from = tokenOffset(parser);
        return new Edit(from, from + token.asString().length(), text);
    }

    private static int tokenOffset(JsonParser parser) {
        return (int) parser.currentTokenLocation().getByteOffset();
    }
}
