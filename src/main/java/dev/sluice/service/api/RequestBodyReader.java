package dev.sluice.service.api;

import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Validator;

import org.hibernate.validator.constraints.Range;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;

import dev.sluice.api.Identifiers;
import dev.sluice.http.ErrorResponse;
import dev.sluice.text.Utf8;
import io.vertx.core.json.JsonObject;

/**
 * Reads JSON request bodies strictly into records and validates their constraints. A field may not be unknown or repeated, and no
 * value is converted to another type. Every error names its field.
 */
@ApplicationScoped
public class RequestBodyReader {

    /** Message of a {@link Range} on a field, also for values of other types. */
    public static final String WHOLE_NUMBER = "must be a whole number from {min} to {max}";

    private static final String NOT_AN_OBJECT = "The body is not a JSON object";
    private static final String MALFORMED = NOT_AN_OBJECT + ", or repeats a field";
    private static final int MAX_NAME_SHOWN = 64;

    private static final JsonMapper JSON = mapper();

    private final Validator validator;
    private final Map<Class<?>, ObjectReader> readers = new ConcurrentHashMap<>();

    RequestBodyReader(Validator validator) {
        this.validator = validator;
    }

    private static JsonMapper mapper() {
        var factory = JsonFactory.builder()
                // Names chosen by callers must not accumulate in memory.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();
        var builder = JsonMapper.builder(factory).propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT).disable(MapperFeature.ALLOW_COERCION_OF_SCALARS);
        for (var shape : List.of(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
            builder.withCoercionConfig(LogicalType.Textual, config -> config.setCoercion(shape, CoercionAction.Fail));
        }
        return builder.build();
    }

    /**
     * Reads a body.
     *
     * @param body in UTF-8
     * @param type a record whose components are strings, whole numbers, booleans or maps; those that are missing or null in the body are
     *        null
     * @throws BadRequestException if the body is not a JSON object of this type
     */
    public <T extends Record> T read(byte[] body, Class<T> type) {
        T value = parse(body, type);
        var violations = validator.validate(value);
        if (!violations.isEmpty()) {
            throw firstViolation(type, violations);
        }
        return value;
    }

    /**
     * Reads a body that has nothing but an array of objects.
     *
     * @param field name of the array
     * @param max maximum number of objects
     * @param type type of the objects, as in {@link #read}
     * @return the objects; null if the body does not have the field
     * @throws BadRequestException if they are not valid; for an object, the field is a JSON pointer such as {@code /checks/1/cost}
     */
    <T extends Record> List<T> readAll(byte[] body, String field, int max, Class<T> type) {
        JsonNode tree;
        try {
            tree = Utf8.isValid(body) ? JSON.readTree(new String(body, StandardCharsets.UTF_8)) : null;
        } catch (JsonProcessingException e) {
            throw BadRequestException.forField("body", MALFORMED);
        }
        if (tree == null || !tree.has(field)) {
            return null;
        }
        var array = tree.get(field);
        if (tree.size() > 1) {
            throw BadRequestException.forField(field, "With " + field + ", no other field is allowed");
        } else if (!array.isArray() || array.isEmpty() || array.size() > max) {
            throw BadRequestException.forField(field, field + " must be an array of 1 to " + max + " objects");
        }
        var values = new ArrayList<T>(array.size());
        for (int i = 0; i < array.size(); i++) {
            int index = i;
            values.add(inElement(field, i, () -> read(array.get(index).toString().getBytes(StandardCharsets.UTF_8), type)));
        }
        return values;
    }

    /** Runs a task that reads an element of an array; in its errors, the field is a JSON pointer. */
    static <T> T inElement(String array, int index, Supplier<T> task) {
        try {
            return task.get();
        } catch (BadRequestException e) {
            var error = e.errorResponse();
            var pointer = '/' + array + '/' + index;
            var field = error.details().getString("field", "body");
            throw new BadRequestException(new ErrorResponse(error.status(), error.code(), error.message(),
                    error.details().copy().put("field", "body".equals(field) ? pointer : pointer + '/' + field),
                    JsonObject::new));
        }
    }

    private <T extends Record> T parse(byte[] body, Class<T> type) {
        if (!Utf8.isValid(body)) { // the parser accepts overlong forms: one name could be encoded in two ways
            throw BadRequestException.forField("body", MALFORMED);
        }
        try {
            // Parses a string, because the byte-based parser caches the names it has seen.
            T value = readers.computeIfAbsent(type, JSON::readerFor).readValue(new String(body, StandardCharsets.UTF_8));
            if (value == null) {
                throw BadRequestException.forField("body", NOT_AN_OBJECT);
            }
            return value;
        } catch (UnrecognizedPropertyException e) {
            throw unknownField(e.getPropertyName(), type);
        } catch (JsonMappingException e) {
            throw unmappable(e, type);
        } catch (JsonProcessingException e) {
            throw BadRequestException.forField("body", MALFORMED);
        }
    }

    private static BadRequestException unknownField(String name, Class<? extends Record> type) {
        var known = Arrays.stream(type.getRecordComponents()).map(component -> jsonName(component.getName())).sorted().toList();
        return BadRequestException.forField(Identifiers.isValid(name) && name.length() <= MAX_NAME_SHOWN ? name : "body",
                "Unknown field; allowed: " + String.join(", ", known));
    }

    private static BadRequestException unmappable(JsonMappingException e, Class<? extends Record> type) {
        if (e.getCause() instanceof StreamReadException && !(e.getCause() instanceof InputCoercionException)) {
            return BadRequestException.forField("body", MALFORMED);
        }
        var field = e.getPath().isEmpty() ? null : e.getPath().get(0).getFieldName();
        for (var component : type.getRecordComponents()) {
            if (jsonName(component.getName()).equals(field)) {
                return BadRequestException.forField(field, field + ' ' + expectation(component));
            }
        }
        return BadRequestException.forField("body", NOT_AN_OBJECT);
    }

    private static String expectation(RecordComponent component) {
        if (component.getType() == Map.class) {
            return "must be an object";
        }
        var range = component.getAccessor().getAnnotation(Range.class);
        if (component.getType() == Boolean.class) {
            return "must be true or false";
        }
        return range == null
                ? "must be a string"
                : WHOLE_NUMBER.replace("{min}", Long.toString(range.min())).replace("{max}", Long.toString(range.max()));
    }

    private static <T> BadRequestException firstViolation(Class<T> type, Set<ConstraintViolation<T>> violations) {
        for (var component : type.getRecordComponents()) {
            for (var violation : violations) {
                if (violation.getPropertyPath().toString().equals(component.getName())) {
                    var field = jsonName(component.getName());
                    return BadRequestException.forField(field, field + ' ' + violation.getMessage());
                }
            }
        }
        throw new IllegalStateException("A constraint of " + type + " is on no component");
    }

    private static String jsonName(String component) {
        return PropertyNamingStrategies.SnakeCaseStrategy.INSTANCE.translate(component);
    }
}
