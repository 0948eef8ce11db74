package dev.sluice.directory;

import java.io.IOException;

import org.jspecify.annotations.Nullable;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Reads JSON objects whose numbers keep all their digits. Uses the parser only: the library has no databind. */
final class ExactJson {

    private static final JsonFactory JSON = JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

    private ExactJson() {
    }

    /**
     * Reads an object.
     *
     * @throws IOException if the text is not one
     */
    static JsonObject read(String text) throws IOException {
        try (var parser = JSON.createParser(text)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                var object = object(parser);
                if (parser.nextToken() == null) {
                    return object;
                }
            }
        }
        throw new IOException("not a JSON object");
    }

    private static JsonObject object(JsonParser parser) throws IOException {
        var object = new JsonObject();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            var name = parser.currentName();
            parser.nextToken();
            object.put(name, value(parser));
        }
        return object;
    }

    private static JsonArray array(JsonParser parser) throws IOException {
        var array = new JsonArray();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(value(parser));
        }
        return array;
    }

    private static @Nullable Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> array(parser);
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> parser.getNumberValue();
            case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new IOException("unexpected token");
        };
    }
}
