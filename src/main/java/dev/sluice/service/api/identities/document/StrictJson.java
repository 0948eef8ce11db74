package dev.sluice.service.api.identities.document;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.sluice.service.api.BadRequestException;
import dev.sluice.text.Utf8;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Reads JSON objects strictly: no repeated member, no unpaired surrogate, no number of more than {@value #MAX_NUMBER} characters, at most {@value #MAX_DEPTH}
 * levels. What is read can be written again by any JSON library without loss.
 */
public final class StrictJson {

    static final int MAX_DEPTH = 24;

    private static final int MAX_NUMBER = 64;
    /** Larger exponents would make the number long where it is written without one. */
    private static final int MAX_EXPONENT = 300;
    private static final String NOT_AN_OBJECT = "The body is not a JSON object";
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {
    };
    private static final JsonMapper DOCUMENTS = mapper(MAX_DEPTH);
    /** The document is a member of the object of a line. */
    private static final JsonMapper LINES = mapper(MAX_DEPTH + 1);

    private StrictJson() {
    }

    private static JsonMapper mapper(int depth) {
        return JsonMapper.builder(JsonFactory.builder()
                .streamReadConstraints(
                        StreamReadConstraints.builder().maxNestingDepth(depth).maxNumberLength(MAX_NUMBER).build())
                // Names chosen by callers must not accumulate in memory.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build())
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .build();
    }

    /**
     * Reads an object.
     *
     * @param json in UTF-8
     * @throws BadRequestException if it is not one
     */
    public static JsonObject read(byte[] json) {
        return read(json, DOCUMENTS);
    }

    /**
     * Reads a line of an import, an object of which a document is a member.
     *
     * @param json in UTF-8
     * @throws BadRequestException if it is not one
     */
    public static JsonObject readLine(byte[] json) {
        return read(json, LINES);
    }

    private static JsonObject read(byte[] json, JsonMapper mapper) {
        if (json == null || !Utf8.isValid(json)) { // the parser accepts overlong forms: one name could be encoded in two ways
            throw BadRequestException.forField("body", NOT_AN_OBJECT);
        }
        Map<String, Object> members;
        try {
            // Parses a string, because the byte-based parser caches the names it has seen.
            members = mapper.readValue(new String(json, StandardCharsets.UTF_8), OBJECT);
        } catch (JsonProcessingException e) {
            throw BadRequestException.forField("body",
                    NOT_AN_OBJECT + ", repeats a member, has more than " + MAX_DEPTH + " levels or too long a number");
        }
        if (members == null) {
            throw BadRequestException.forField("body", NOT_AN_OBJECT);
        }
        return object(members, "");
    }

    private static JsonObject object(Map<?, ?> members, String pointer) {
        var object = new JsonObject();
        members.forEach((key, value) -> {
            var name = (String) key;
            var place = JsonPointers.member(pointer, name);
            requireEncodable(name, place);
            object.put(name, value(value, place));
        });
        return object;
    }

    private static JsonArray array(List<?> items, String pointer) {
        var array = new JsonArray();
        for (int i = 0; i < items.size(); i++) {
            array.add(value(items.get(i), JsonPointers.member(pointer, Integer.toString(i))));
        }
        return array;
    }

    private static Object value(Object value, String pointer) {
        if (value instanceof Map<?, ?> members) {
            return object(members, pointer);
        } else if (value instanceof List<?> items) {
            return array(items, pointer);
        } else if (value instanceof String text) {
            requireEncodable(text, pointer);
        } else if (value instanceof Number number && !hasSmallExponent(number)) {
            throw BadRequestException.forField(pointer,
                    "The exponent of the number must be from -" + MAX_EXPONENT + " to " + MAX_EXPONENT);
        }
        return value;
    }

    private static boolean hasSmallExponent(Number number) {
        return !(number instanceof BigDecimal decimal) || Math.abs((long) decimal.scale()) <= MAX_EXPONENT;
    }

    /** An unpaired surrogate cannot be encoded in UTF-8. */
    private static void requireEncodable(String text, String pointer) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || ++i == text.length() || !Character.isLowSurrogate(text.charAt(i))) {
                    throw BadRequestException.forField(pointer, "The text contains an unpaired surrogate");
                }
            }
        }
    }
}
