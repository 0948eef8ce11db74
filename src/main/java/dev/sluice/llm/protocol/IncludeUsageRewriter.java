package dev.sluice.llm.protocol;

import java.io.IOException;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import io.vertx.core.buffer.Buffer;

/**
 * Adds {@code "stream_options":{"include_usage":true}} to the body of an OpenAI chat stream. All other bytes are preserved.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options">OpenAI:
 * stream_options</a>
 */
final class IncludeUsageRewriter {

    private static final String INCLUDE_USAGE = "\"include_usage\":true";
    private static final String OPTIONS = "{" + INCLUDE_USAGE + "}";

    /** Replaces bytes with a text. */
    private record Edit(long from, long to, String text) {

        static Edit insert(long at, String text) {
            return new Edit(at, at, text);
        }

        Buffer apply(Buffer body) {
            return Buffer.buffer(body.length() + text.length()).appendBuffer(body, 0, (int) from).appendString(text)
                    .appendBuffer(body, (int) to, body.length() - (int) to);
        }
    }

    private IncludeUsageRewriter() {
    }

    static Buffer rewrite(Buffer body) throws IOException {
        try (var parser = BodyJson.FACTORY.createParser(body.getBytes())) {
            parser.nextToken();
            long objectStart = tokenOffset(parser) + 1;
            boolean empty = true;
            boolean present = false;
            Edit edit = null;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                empty = false;
                var name = parser.currentName();
                parser.nextToken();
                if (name.equals("stream_options")) {
                    present = true;
                    edit = rewriteOptions(parser);
                } else {
                    parser.skipChildren();
                }
            }
            if (!present) {
                edit = Edit.insert(objectStart, "\"stream_options\":" + OPTIONS + (empty ? "" : ","));
            }
            return edit == null ? body : edit.apply(body);
        }
    }

    /**
     * Returns the edit of existing options; null if none is necessary. Options that are not an object are left unchanged:
     * the provider rejects them.
     */
    private static Edit rewriteOptions(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            return parser.currentToken() == JsonToken.VALUE_NULL ? replaceLiteral(parser, OPTIONS) : skip(parser);
        }
        long objectStart = tokenOffset(parser) + 1;
        boolean empty = true;
        boolean present = false;
        Edit edit = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            empty = false;
            var name = parser.currentName();
            var value = parser.nextToken();
            if (name.equals("include_usage")) {
                present = true;
                edit = value == JsonToken.VALUE_FALSE || value == JsonToken.VALUE_NULL ? replaceLiteral(parser, "true") : null;
            }
            parser.skipChildren();
        }
        return present ? edit : Edit.insert(objectStart, empty ? INCLUDE_USAGE : INCLUDE_USAGE + ",");
    }

    private static Edit skip(JsonParser parser) throws IOException {
        parser.skipChildren();
        return null;
    }

    /** Replaces the current literal. */
    private static Edit replaceLiteral(JsonParser parser, String text) {
        return new Edit(tokenOffset(parser), tokenOffset(parser) + parser.currentToken().asString().length(), text);
    }

    private static long tokenOffset(JsonParser parser) {
        return parser.currentTokenLocation().getByteOffset();
    }
}
