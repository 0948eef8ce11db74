package dev.sluice.service.api;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

import dev.sluice.api.Identifiers;
import dev.sluice.identity.Utf8;

/**
 * Parses the JSON object of a request body strictly, in one pass, into one slot per known field. Every error names its field.
 */
final class StrictJsonBody {

    private static final JsonFactory JSON = JsonFactory.builder()
            // Names chosen by callers must not accumulate in memory.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private static final String NOT_AN_OBJECT = "The body is not a JSON object";
    private static final String MALFORMED = NOT_AN_OBJECT + ", or repeats a field";
    private static final int MAX_NAME_SHOWN = 64;

    /** Field names that an object may have. */
    static final class Fields {

        private final String[] names;
        private final String known;

        Fields(Set<String> names) {
            this.names = names.toArray(String[]::new);
            this.known = "Unknown field; allowed: " + String.join(", ", names.stream().sorted().toList());
        }

        static Fields of(String... names) {
            return new Fields(Set.of(names));
        }

        private int index(String name) {
            for (int i = 0; i < names.length; i++) {
                if (names[i].equals(name)) {
                    return i;
                }
            }
            return -1;
        }
    }

    /** The type of a field's value. */
    private enum Type {
        NULL, TEXT, INTEGER, OTHER
    }

    private final Fields fields;
    /** Indexed by field; null if the field is missing. */
    private final Type[] types;
    private final String[] texts;
    private final long[] integers;
    private String unknown;

    StrictJsonBody(byte[] body, Fields fields) {
        this.fields = fields;
        this.types = new Type[fields.names.length];
        this.texts = new String[fields.names.length];
        this.integers = new long[fields.names.length];
        if (!Utf8.isValid(body)) { // the parser accepts overlong forms: one name could be encoded in two ways
            throw malformed();
        }
        // Parses a string, because the byte-based parser caches the names it has seen.
        try (var parser = JSON.createParser(new String(body, StandardCharsets.UTF_8))) {
            read(parser);
        } catch (IOException e) {
            throw malformed();
        }
        if (unknown != null) {
            throw BadRequestException.forField(
                    Identifiers.isValid(unknown) && unknown.length() <= MAX_NAME_SHOWN ? unknown : "body",
                    fields.known);
        }
    }

    private static BadRequestException malformed() {
        return BadRequestException.forField("body", MALFORMED);
    }

    private void read(JsonParser parser) throws IOException {
        boolean object = parser.nextToken() == JsonToken.START_OBJECT;
        if (object) {
            for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                readField(name, parser);
            }
        } else {
            parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
            parser.skipChildren();
        }
        if (parser.hasCurrentToken() && parser.nextToken() != null) {
            throw malformed(); // trailing content
        }
        if (!object) {
            throw BadRequestException.forField("body", NOT_AN_OBJECT);
        }
    }

    private void readField(String name, JsonParser parser) throws IOException {
        int index = fields.index(name);
        if (index < 0) {
            if (name.equals(unknown)) {
                throw malformed();
            }
            unknown = unknown == null ? name : unknown;
            skip(parser);
            return;
        }
        if (types[index] != null) {
            throw malformed();
        }
        types[index] = switch (parser.nextToken()) {
            case VALUE_NULL -> Type.NULL;
            case VALUE_STRING -> {
                texts[index] = parser.getText();
                yield Type.TEXT;
            }
            case VALUE_NUMBER_INT -> integer(index, parser);
            case START_OBJECT, START_ARRAY -> {
                skipOpened(parser);
                yield Type.OTHER;
            }
            default -> Type.OTHER;
        };
    }

    private Type integer(int index, JsonParser parser) throws IOException {
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            return Type.OTHER;
        }
        integers[index] = parser.getLongValue();
        return Type.INTEGER;
    }

    private static void skip(JsonParser parser) throws IOException {
        parser.nextToken();
        skipOpened(parser);
    }

    /** Enables duplicate detection for all depths from here on. */
    private static void skipOpened(JsonParser parser) throws IOException {
        parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        parser.skipChildren();
    }

    boolean has(String field) {
        var type = types[fields.index(field)];
        return type != null && type != Type.NULL;
    }

    /** @return null if the field is missing */
    String text(String field) {
        if (!has(field)) {
            return null;
        }
        int index = fields.index(field);
        if (types[index] != Type.TEXT) {
            throw BadRequestException.forField(field, field + " must be a string");
        }
        return texts[index];
    }

    /** Returns a string of 1 to 256 characters. */
    String name(String field) {
        var name = text(field);
        if (name == null) {
            throw BadRequestException.forField(field, field + " is missing");
        }
        if (!Identifiers.isValid(name)) {
            throw BadRequestException.forField(field, field + " must have 1 to " + Identifiers.MAX_LENGTH
                    + " characters and no unpaired surrogate");
        }
        return name;
    }

    long integer(String field, long smallest, long largest) {
        if (!has(field)) {
            throw BadRequestException.forField(field, field + " is missing");
        }
        int index = fields.index(field);
        if (types[index] != Type.INTEGER || integers[index] < smallest || integers[index] > largest) {
            throw BadRequestException.forField(field, field + " must be a whole number from " + smallest + " to " + largest);
        }
        return integers[index];
    }
}
