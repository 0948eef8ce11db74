package dev.sluice.llm.estimate;

import java.io.IOException;
import java.util.Arrays;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.llm.estimate.PromptFields.Mode;
import io.netty.buffer.ByteBuf;

/**
 * Estimates the input tokens of a request while its body is parsed for other fields: of its texts, the schemas of its tools, and
 * its media. Reads strings where they are in the body, without copies. Not thread-safe.
 *
 * @see <a href="https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken">OpenAI: how to count tokens, of messages
 * and of tools</a>
 * @see <a href="https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing">Anthropic: tokens of tool use</a>
 */
public final class PromptTokens {

    private static final int PER_MESSAGE = 4;
    private static final int PER_ANSWER = 3;
    /** Without the types of the function and its parameters, which are counted as texts. */
    private static final int PER_FUNCTION = 6;
    private static final int PER_PROPERTIES = 3;
    private static final int PER_PROPERTY = 4;
    private static final int PER_ENUM_VALUE = 3;
    private static final int PER_TOOLS = 12;
    private static final int ANTHROPIC_TOOLS = 346;
    /** Punctuation of a field of JSON. */
    private static final int PER_FIELD = 2;
    private static final int DIGITS_PER_TOKEN = 3;

    private final Dialect dialect;
    private final ByteBuf body;
    private final int start;
    private final TextTokens text = new TextTokens();
    private final PromptMedia media;
    /** Of the open objects and arrays. */
    private Mode[] modes = new Mode[16];
    private boolean[] arrays = new boolean[16];
    /** Names of the fields in which they are; elements of an array are in the array's. */
    private String[] owners = new String[16];
    private int depth;
    /** Name of the last field. */
    private String name = "";
    private long structure;
    private boolean hasMessages;
    private boolean hasTools;
    /** Index of a string whose end is not known yet; -1 for none. */
    private int stringStart = -1;
    private boolean stringIsMedia;

    /** @param body the body in UTF-8, from its reader index on; not changed */
    public PromptTokens(Dialect dialect, ByteBuf body) {
        this.dialect = dialect;
        this.body = body;
        this.start = body.readerIndex();
        this.media = new PromptMedia(body, text);
    }

    /**
     * Reads the parser's current token.
     *
     * @param token the current token
     * @param parser the parser, for its position
     * @throws IOException if the value cannot be read
     */
    public void accept(JsonToken token, JsonParser parser) throws IOException {
        if (stringStart >= 0) {
            endString(index(parser));
        }
        if (token == JsonToken.FIELD_NAME) {
            name = parser.currentName();
            acceptName();
        } else if (token.isStructStart()) {
            open(token == JsonToken.START_ARRAY);
        } else if (token.isStructEnd()) {
            depth--;
            media.endObject();
        } else if (depth > 0) {
            acceptValue(token, parser);
        }
    }

    /** Returns the index of the current token in the body. */
    private int index(JsonParser parser) {
        return start + (int) parser.currentTokenLocation().getByteOffset();
    }

    private String field() {
        return arrays[depth - 1] ? owners[depth - 1] : name;
    }

    private void acceptName() {
        var mode = modes[depth - 1];
        if (mode == Mode.PROPERTIES || mode == Mode.JSON) {
            structure += mode == Mode.JSON ? PER_FIELD : PER_PROPERTY;
            text.add(name);
        }
    }

    private void open(boolean isArray) {
        if (depth == modes.length) {
            modes = Arrays.copyOf(modes, 2 * depth);
            arrays = Arrays.copyOf(arrays, 2 * depth);
            owners = Arrays.copyOf(owners, 2 * depth);
        }
        boolean isElement = depth > 0 && arrays[depth - 1];
        var owner = depth == 0 ? "" : field();
        var mode = depth == 0
                ? Mode.DOCUMENT
                : isElement ? modes[depth - 1] : PromptFields.mode(modes[depth - 1], name);
        if (mode == Mode.PROPERTIES) {
            structure += PER_PROPERTIES;
        } else if (mode == Mode.SCHEMA && isArray && owner.equals("enum")) {
            structure -= PER_ENUM_VALUE;
        } else if (mode == Mode.SCHEMA && isElement && PromptFields.TOOLS.contains(owner)) {
            hasTools = true;
        }
        hasMessages |= depth == 1 && owner.equals("messages");
        owners[depth] = owner;
        arrays[depth] = isArray;
        modes[depth++] = mode;
    }

    private void acceptValue(JsonToken token, JsonParser parser) throws IOException {
        var mode = modes[depth - 1];
        var field = field();
        if (token == JsonToken.VALUE_STRING) {
            acceptString(mode, field, parser);
        } else if (mode == Mode.TEXT && arrays[depth - 1] && token == JsonToken.VALUE_NUMBER_INT) {
            structure++; // a prompt of tokens
        } else if (mode == Mode.JSON) {
            structure += (parser.getTextLength() + DIGITS_PER_TOKEN - 1) / DIGITS_PER_TOKEN;
        }
    }

    private void acceptString(Mode mode, String field, JsonParser parser) throws IOException {
        stringIsMedia = mode == Mode.TEXT && PromptFields.isMedia(owners[depth - 1], field);
        boolean isText = switch (mode) {
            case DOCUMENT -> !PromptFields.PARAMETERS.contains(field);
            case TEXT -> stringIsMedia || !PromptFields.NO_TEXT.contains(field);
            case SCHEMA -> !PromptFields.NO_SCHEMA.contains(field);
            case JSON -> true;
            case CONFIG, PROPERTIES, IGNORED -> false;
        };
        if (mode == Mode.TEXT && field.equals("role")) {
            structure += dialect == Dialect.GEMINI ? 0 : PER_MESSAGE;
            isText = false;
        } else if (mode == Mode.TEXT && field.equals("detail")) {
            media.detail(index(parser) + 1); // not parser.getText(): a string that is read must not be long
        } else if (mode == Mode.SCHEMA && field.equals("name")) {
            structure += PER_FUNCTION;
        } else if (mode == Mode.SCHEMA && field.equals("enum")) {
            structure += PER_ENUM_VALUE;
        }
        if (isText) {
            stringStart = index(parser) + 1;
            media.field(field);
        }
    }

    /** @param next index of the token after the string; between them are its quote, a comma and white space */
    private void endString(int next) {
        int end = next - 1;
        while (end > stringStart && body.getByte(end) != '"') {
            end--;
        }
        if (stringIsMedia) {
            media.add(stringStart, end);
        } else {
            text.add(body, stringStart, end);
        }
        stringStart = -1;
    }

    /** Returns whether a file that is not in the body belongs to the prompt: its size is not known. */
    public boolean hasFiles() {
        return media.hasFiles();
    }

    /**
     * Returns the estimate at the end of the document.
     *
     * @param model the model's name; empty if it is not known
     * @return the tokens, 0 or more
     */
    public long tokens(String model) {
        long tools = hasTools ? dialect == Dialect.ANTHROPIC ? ANTHROPIC_TOOLS : PER_TOOLS : 0;
        long messages = hasMessages ? PER_ANSWER : 0;
        double ofText = (Math.max(0, structure) + text.tokens() + messages) * dialect.textFactor(model) + tools;
        return (long) Math.ceil(ofText - 1e-6) + media.tokens(MediaRules.of(dialect, model));
    }
}
