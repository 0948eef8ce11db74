package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/** Collects the fields at the given paths from a parser's tokens. Keeps nothing else of the document. */
public final class JsonFieldCollector {

    private final JsonPaths paths;
    private final boolean allowList;
    private final Consumer<JsonFields> onDocument;
    /** Fields of the open document; null outside of it. */
    private JsonFields fields;

    /** The open object or array; null outside of the document. */
    private JsonPaths parent;
    private String name;
    /** Number of open objects and arrays that contain no path. */
    private int skippedDepth;
    /** Number of open objects and arrays whose strings are all texts. */
    private int textDepth;
    private boolean isList;
    private boolean complete;
    /** Paths found so far, by their index. */
    private final BitSet found = new BitSet();
    /** True if the current field is the first one of its name in its object. */
    private boolean first;
    /** Null if ambiguous fields are not sought. */
    private final Set<String> ambiguous;

    /**
     * Collects from one document, and finds its {@link #ambiguousFields}.
     *
     * @param paths the paths to collect
     * @param onDocument receives the fields of the document at its end
     */
    public JsonFieldCollector(JsonPaths paths, Consumer<JsonFields> onDocument) {
        this(paths, false, onDocument, new LinkedHashSet<>());
    }

    /**
     * Collects from any number of documents.
     *
     * @param allowList whether an array of documents is accepted in place of one
     * @param onDocument receives the fields of each document at its end
     */
    JsonFieldCollector(JsonPaths paths, boolean allowList, Consumer<JsonFields> onDocument) {
        this(paths, allowList, onDocument, null);
    }

    private JsonFieldCollector(JsonPaths paths, boolean allowList, Consumer<JsonFields> onDocument, Set<String> ambiguous) {
        this.paths = paths;
        this.allowList = allowList;
        this.onDocument = onDocument;
        this.ambiguous = ambiguous;
    }

    /**
     * Reads the parser's current token.
     *
     * @param token the current token
     * @param parser the parser, for the token's value
     * @return false if the token cannot follow, because the document is complete
     * @throws IOException if the value cannot be read
     */
    public boolean accept(JsonToken token, JsonParser parser) throws IOException {
        if (complete) {
            return false;
        }
        if (skippedDepth > 0) {
            skippedDepth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        } else if (textDepth > 0) {
            textDepth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
                fields.addText(parser.getText());
            }
        } else if (token == JsonToken.FIELD_NAME) {
            name = parser.currentName();
        } else if (token.isStructEnd()) {
            endStructure();
        } else {
            acceptValue(token, parser);
        }
        return true;
    }

    /**
     * Returns the paths of fields that another parser may read otherwise: those that are there twice with different values, or, at the
     * top of the document, in another case.
     *
     * @return the paths, in the order of the document
     */
    public Set<String> ambiguousFields() {
        return ambiguous;
    }

    /**
     * Starts another document.
     *
     * @return false if the previous one is not complete
     */
    boolean nextDocument() {
        boolean wasComplete = complete;
        complete = false;
        return wasComplete;
    }

    /** Returns whether the document, or the array of documents, has ended. */
    boolean complete() {
        return complete;
    }

    /** Returns whether an array of documents is read. */
    boolean isList() {
        return isList;
    }

    private void endStructure() {
        if (parent == null) {
            complete = true;
            return;
        }
        if (parent.isCollected()) {
            fields.collect(parent);
        }
        parent = parent.parent;
        name = JsonPaths.ELEMENT;
        if (parent == null) {
            onDocument.accept(fields);
            fields = null;
            complete = !isList;
        }
    }

    private void acceptValue(JsonToken token, JsonParser parser) throws IOException {
        if (parent == null && allowList && !isList && token == JsonToken.START_ARRAY) {
            isList = true;
            return;
        }
        var path = parent == null ? paths : parent.child(name);
        if (parent == null) {
            fields = new JsonFields(paths);
        } else {
            note(path, token, parser);
        }
        if (token.isStructStart()) {
            if (path == null) {
                skippedDepth = 1;
                return;
            }
            if (path.isText()) {
                textDepth = 1;
                return;
            }
            put(path, token);
            parent = path;
            name = JsonPaths.ELEMENT;
        } else if (path != null) {
            switch (token) {
                case VALUE_NULL -> fields.remove(path);
                case VALUE_STRING -> putString(path, parser);
                case VALUE_TRUE -> put(path, true);
                case VALUE_FALSE -> put(path, false);
                case VALUE_NUMBER_INT -> put(path,
                        parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER ? token : parser.getLongValue());
                case VALUE_NUMBER_FLOAT -> put(path, parser.getDoubleValue());
                default -> put(path, token);
            }
            if (path.isCollected() && token != JsonToken.VALUE_NULL) {
                fields.collect(path);
            }
            complete = parent == null && !isList;
        }
    }

    private void note(JsonPaths path, JsonToken token, JsonParser parser) throws IOException {
        first = false;
        if (path == null) {
            var known = ambiguous != null && parent == paths ? paths.childInOtherCase(name) : null;
            if (known != null) {
                ambiguous.add(known);
            }
        } else if (path.isElement) {
            found.clear(path.index() + 1, path.end());
        } else if (!found.get(path.index())) {
            found.set(path.index());
            if (!path.isLeaf()) {
                found.clear(path.index() + 1, path.end());
            }
            first = true;
        } else if (ambiguous != null && (token != JsonToken.VALUE_STRING || !path.isRequested()
                || !parser.getText().equals(fields.text(path.path)))) {
            ambiguous.add(path.path);
        }
    }

    private void putString(JsonPaths path, JsonParser parser) throws IOException {
        if (path.isText()) {
            fields.addText(parser.getText());
        } else {
            put(path, path.isRequested() ? parser.getText() : JsonToken.VALUE_STRING);
        }
    }

    private void put(JsonPaths path, Object value) {
        if (path.isCollected()) {
            fields.putElement(path, value);
        } else if (!path.isElement || !fields.has(path)) { // the elements share one path: the first value found is kept
            if (!first) {
                fields.removeElements(path); // the field was there already, and the last one counts
            }
            fields.put(path, value);
        }
    }
}
