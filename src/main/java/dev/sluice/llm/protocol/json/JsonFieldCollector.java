package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/** Finds the wanted places among a parser's tokens. Keeps no more of the document than what it finds. */
public final class JsonFieldCollector {

    private final JsonPaths paths;
    private final boolean allowList;
    private final Consumer<JsonFields> onDocument;
    private JsonFields fields = new JsonFields();

    /** The open object or array; null outside of the document. */
    private JsonPaths parent;
    private String name;
    /** How many objects and arrays that nobody wants are open. */
    private int skippedDepth;
    private boolean isList;
    private boolean complete;

    /**
     * @param allowList whether a list of documents may come in place of one
     * @param onDocument gets what was found in a document that has ended
     */
    public JsonFieldCollector(JsonPaths paths, boolean allowList, Consumer<JsonFields> onDocument) {
        this.paths = paths;
        this.allowList = allowList;
        this.onDocument = onDocument;
    }

    /** @return whether the token can come here */
    public boolean accept(JsonToken token, JsonParser parser) throws IOException {
        if (complete) {
            return false;
        }
        if (skippedDepth > 0) {
            skippedDepth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        } else if (token == JsonToken.FIELD_NAME) {
            name = parser.currentName();
        } else if (token.isStructEnd()) {
            endStructure();
        } else {
            acceptValue(token, parser);
        }
        return true;
    }

    /** Another document follows. @return false where the last one has not ended */
    boolean nextDocument() {
        boolean wasComplete = complete;
        complete = false;
        return wasComplete;
    }

    /** Whether all has been read. */
    boolean complete() {
        return complete;
    }

    /** Whether it is a list of documents. */
    boolean isList() {
        return isList;
    }

    private void endStructure() {
        if (parent == null) {
            complete = true;
            return;
        }
        parent = parent.parent;
        name = JsonPaths.ELEMENT;
        if (parent == null) {
            onDocument.accept(fields);
            fields = new JsonFields();
            complete = !isList;
        }
    }

    private void acceptValue(JsonToken token, JsonParser parser) throws IOException {
        if (parent == null && allowList && !isList && token == JsonToken.START_ARRAY) {
            isList = true;
            return;
        }
        var path = parent == null ? paths : parent.child(name);
        if (token.isStructStart()) {
            if (path == null) {
                skippedDepth = 1;
                return;
            }
            put(path, token);
            parent = path;
            name = JsonPaths.ELEMENT;
        } else if (path != null) {
            switch (token) {
                case VALUE_NULL -> fields.remove(path.path);
                case VALUE_STRING -> put(path, parser.getText());
                case VALUE_TRUE -> put(path, true);
                case VALUE_NUMBER_INT -> put(path,
                        parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER ? token : parser.getLongValue());
                default -> put(path, token);
            }
            complete = parent == null && !isList;
        }
    }

    private void put(JsonPaths path, Object value) {
        // Elements of an array share one place, and what one of them had is found.
        if (path.isElement && fields.has(path.path)) {
            return;
        }
        fields.put(path.path, value);
    }
}
