package dev.sluice.llm.protocol.json;

import java.io.IOException;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/** Finds the wanted places among a parser's tokens. Keeps no more of the document than what it finds. */
public final class JsonFieldCollector {

    private final JsonPaths document;
    private final boolean lists;
    private final Consumer<JsonFields> whole;
    private JsonFields facts = new JsonFields();

    /** The open object or array; null outside of the document. */
    private JsonPaths at;
    private String name;
    /** How many objects and arrays that nobody wants are open. */
    private int skipped;
    private boolean list;
    private boolean ended;

    /**
     * @param lists whether a list of documents may come in place of one
     * @param whole gets what was found in a document that has ended
     */
    public JsonFieldCollector(JsonPaths document, boolean lists, Consumer<JsonFields> whole) {
        this.document = document;
        this.lists = lists;
        this.whole = whole;
    }

    /** @return whether the token can come here */
    public boolean take(JsonToken token, JsonParser parser) throws IOException {
        if (ended) {
            return false;
        }
        if (skipped > 0) {
            skipped += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        } else if (token == JsonToken.FIELD_NAME) {
            name = parser.currentName();
        } else if (token.isStructEnd()) {
            leave();
        } else {
            value(token, parser);
        }
        return true;
    }

    /** Another document follows. @return false where the last one has not ended */
    boolean again() {
        boolean again = ended;
        ended = false;
        return again;
    }

    /** Whether all has been read. */
    boolean ended() {
        return ended;
    }

    /** Whether it is a list of documents. */
    boolean list() {
        return list;
    }

    private void leave() {
        if (at == null) {
            ended = true;
            return;
        }
        at = at.parent;
        name = JsonPaths.ELEMENT;
        if (at == null) {
            whole.accept(facts);
            facts = new JsonFields();
            ended = !list;
        }
    }

    private void value(JsonToken token, JsonParser parser) throws IOException {
        if (at == null && lists && !list && token == JsonToken.START_ARRAY) {
            list = true;
            return;
        }
        var place = at == null ? document : at.child(name);
        if (token.isStructStart()) {
            if (place == null) {
                skipped = 1;
                return;
            }
            found(place, token);
            at = place;
            name = JsonPaths.ELEMENT;
        } else if (place != null) {
            switch (token) {
                case VALUE_NULL -> facts.drop(place.path);
                case VALUE_STRING -> found(place, parser.getText());
                case VALUE_TRUE -> found(place, true);
                case VALUE_NUMBER_INT -> found(place,
                        parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER ? token : parser.getLongValue());
                default -> found(place, token);
            }
            ended = at == null && !list;
        }
    }

    private void found(JsonPaths place, Object value) {
        // Elements of an array share one place, and what one of them had is found.
        if (place.element && facts.has(place.path)) {
            return;
        }
        facts.put(place.path, value);
    }
}
