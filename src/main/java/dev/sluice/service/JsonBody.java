package dev.sluice.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.limit.Names;

/** A JSON object of a request, read strictly: every error names its field. */
final class JsonBody {

    private static final ObjectMapper MAPPER = new ObjectMapper(
            JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    // Names that callers make up are not kept.
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).disable(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION);

    private final JsonNode json;

    /** @param fields what the object may have */
    JsonBody(byte[] body, Set<String> fields) {
        try {
            // Not left to the parser, which takes overlong forms: two byte strings would be one name.
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
            json = MAPPER.readTree(text);
        } catch (IOException e) {
            throw BadRequest.field("body", "The body is no JSON object, or names a field twice");
        }
        if (!(json instanceof ObjectNode)) {
            throw BadRequest.field("body", "The body is no JSON object");
        }
        for (var name : (Iterable<String>) json::fieldNames) {
            if (!fields.contains(name)) {
                throw BadRequest.field(Names.valid(name) && name.length() <= 64 ? name : "body",
                        "Unknown field; known are " + String.join(", ", fields.stream().sorted().toList()));
            }
        }
    }

    boolean has(String field) {
        return json.hasNonNull(field);
    }

    /** @return null where it is missing */
    String text(String field) {
        var node = json.get(field);
        if (node == null || node.isNull()) {
            return null;
        }
        if (!node.isTextual()) {
            throw BadRequest.field(field, field + " must be a string");
        }
        return node.textValue();
    }

    /** A string of 1 to 256 characters. */
    String name(String field) {
        var name = text(field);
        if (name == null) {
            throw BadRequest.field(field, field + " is missing");
        }
        if (!Names.valid(name)) {
            throw BadRequest.field(field, field + " must have 1 to " + Names.MAX_LENGTH
                    + " characters and no unpaired surrogate");
        }
        return name;
    }

    long integer(String field, long smallest, long largest) {
        if (!has(field)) {
            throw BadRequest.field(field, field + " is missing");
        }
        var node = json.get(field);
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < smallest
                || node.longValue() > largest) {
            throw BadRequest.field(field, field + " must be a whole number from " + smallest + " to " + largest);
        }
        return node.longValue();
    }
}
