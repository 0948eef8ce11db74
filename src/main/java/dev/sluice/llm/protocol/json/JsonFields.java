package dev.sluice.llm.protocol.json;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonToken;

/** Fields collected from one JSON object. The last of duplicate fields is valid; null removes a field. */
public final class JsonFields {

    /** Returned for a count that is not a whole number, or does not fit a {@code long}. */
    public static final long INVALID_COUNT = -1;
    private static final int MAX_COUNT_LENGTH = 32;
    private static final int MAX_ELEMENTS = 512;
    /** Maximum number of characters of all texts that are kept. */
    private static final int MAX_TEXT = 1 << 16;

    private final JsonPaths paths;
    /** Position of the first value: 0, or that of the element whose fields these are. */
    private final int offset;
    /** Values by the position of their path, from the offset on. */
    private final Object[] values;
    /** Elements by the position of their path; null if there are none. */
    private Map<Integer, Elements> elements;

    /** Elements of an array. */
    private static final class Elements {
        private final List<JsonFields> first = new ArrayList<>();
        private int count;
    }

    /** Null if there are none. */
    private List<String> texts;
    private int textLength;

    /** @param paths the document */
    JsonFields(JsonPaths paths) {
        this(paths, 0, paths.end());
    }

    private JsonFields(JsonPaths paths, int offset, int end) {
        this.paths = paths;
        this.offset = offset;
        this.values = new Object[end - offset];
    }

    /** @param value a string, long or boolean; any other object for a value of another type */
    void put(JsonPaths path, Object value) {
        if (values[path.index()] != null && !path.isLeaf()) { // only then there can be something below it
            Arrays.fill(values, path.index(), path.end(), null);
        }
        values[path.index()] = value;
    }

    /** As {@link #put}, of an element that is collected when it ends: the earlier ones stay. */
    void putElement(JsonPaths element, Object value) {
        values[element.index()] = value;
    }

    /** Removes the field and everything below it. */
    void remove(JsonPaths path) {
        Arrays.fill(values, path.index(), path.end(), null);
        removeElements(path);
    }

    /** Removes the elements that were collected below a field. */
    void removeElements(JsonPaths path) {
        if (elements != null) {
            elements.keySet().removeIf(index -> index >= path.index() && index < path.end());
        }
    }

    /** Moves the fields below an element to the collected ones. */
    void collect(JsonPaths element) {
        elements = elements == null ? new HashMap<>() : elements;
        var collected = elements.computeIfAbsent(element.index(), index -> new Elements());
        collected.count++;
        if (collected.first.size() < MAX_ELEMENTS) {
            var copy = new JsonFields(paths, element.index(), element.end());
            System.arraycopy(values, element.index(), copy.values, 0, copy.values.length);
            collected.first.add(copy);
        }
        Arrays.fill(values, element.index() + 1, element.end(), null);
    }

    /**
     * Returns the elements of an array. The paths of their fields are those from the document; those of
     * elements that are not objects have the path of the elements.
     *
     * @param path the path of the array
     * @return the first {@value #MAX_ELEMENTS}; empty if the field is missing or was not to be collected
     */
    public List<JsonFields> elements(String path) {
        var collected = collected(path);
        return collected == null ? List.of() : collected.first;
    }

    /**
     * Returns the number of all elements of an array; of arrays in the elements of another one, of all of them.
     *
     * @param path the path of the array
     * @return 0 if the field is missing or was not to be collected
     */
    public int elementCount(String path) {
        var collected = collected(path);
        return collected == null ? 0 : collected.count;
    }

    private Elements collected(String path) {
        var node = elements == null ? null : paths.node(path);
        var element = node == null ? null : node.child(JsonPaths.ELEMENT);
        return element == null ? null : elements.get(element.index());
    }

    void addText(String text) {
        if (textLength < MAX_TEXT) {
            texts = texts == null ? new ArrayList<>(2) : texts;
            texts.add(text);
            textLength += text.length() + 1;
        }
    }

    /**
     * Returns the strings at the paths of texts, in order.
     *
     * @return the texts, of which a long one may be cut
     */
    public List<String> texts() {
        return texts == null ? List.of() : texts;
    }

    boolean has(JsonPaths path) {
        return values[path.index()] != null;
    }

    private Object value(String path) {
        var node = paths.node(path);
        int index = node == null ? -1 : node.index() - offset;
        return index < 0 || index >= values.length ? null : values[index];
    }

    /**
     * Returns whether the path has a value.
     *
     * @param path the path, such as {@code usage.prompt_tokens}
     * @return false if the field is missing or null
     */
    public boolean has(String path) {
        return value(path) != null;
    }

    /**
     * Returns whether the value is a string.
     *
     * @param path the path, also of a field of which only what is below it is collected
     * @return false for any other value
     */
    public boolean isString(String path) {
        var value = value(path);
        return value instanceof String || value == JsonToken.VALUE_STRING;
    }

    /**
     * Returns whether the value is {@code true}.
     *
     * @param path the path
     * @return false for any other value
     */
    public boolean isTrue(String path) {
        return Boolean.TRUE.equals(value(path));
    }

    /**
     * Returns whether the value is {@code false}.
     *
     * @param path the path
     * @return false for any other value
     */
    public boolean isFalse(String path) {
        return Boolean.FALSE.equals(value(path));
    }

    /**
     * Returns the count at a path.
     *
     * @param path the path
     * @return null if the field is missing; {@link #INVALID_COUNT} if it is not a whole number
     */
    public Long count(String path) {
        var value = value(path);
        return value == null || value instanceof Long ? (Long) value : Long.valueOf(INVALID_COUNT);
    }

    /**
     * Returns the count at a path of a request. Some providers accept {@code "8"} and {@code 8.0} for 8, as
     * <a href="https://protobuf.dev/programming-guides/json/">ProtoJSON</a> requires.
     *
     * @param path the path
     * @return null if the field is missing; {@link #INVALID_COUNT} if it is not a whole number
     */
    public Long requestedCount(String path) {
        var value = value(path);
        if (value instanceof String text && text.length() <= MAX_COUNT_LENGTH) {
            try {
                return whole(Double.parseDouble(text));
            } catch (NumberFormatException e) {
                return INVALID_COUNT;
            }
        }
        return value instanceof Double number ? whole(number) : count(path);
    }

    /**
     * Returns the decimal at a path in thousandths, rounded up.
     *
     * @param path the path
     * @return null if the field is missing; {@link #INVALID_COUNT} if it is not a number, negative, or above 10⁹
     */
    public Long thousandths(String path) {
        return scaled(path, 3, 1e9);
    }

    /**
     * Returns the amount of US dollars at a path in 10⁻¹² US dollars, rounded up.
     *
     * @param path the path
     * @return null if the field is missing; {@link #INVALID_COUNT} if it is not a number, negative, or above 10⁶
     */
    public Long picodollars(String path) {
        return scaled(path, 12, 1e6);
    }

    private Long scaled(String path, int digits, double max) {
        var value = value(path);
        if (value == null) {
            return null;
        }
        double number = value instanceof Long whole ? whole : value instanceof Double decimal ? decimal : INVALID_COUNT;
        return number >= 0 && number <= max
                ? BigDecimal.valueOf(number).movePointRight(digits).setScale(0, RoundingMode.CEILING).longValueExact()
                : Long.valueOf(INVALID_COUNT);
    }

    private static Long whole(double number) {
        return number == Math.rint(number) && Math.abs(number) <= 1L << 53 ? (long) number : INVALID_COUNT;
    }

    /**
     * Returns the string at a path.
     *
     * @param path the path
     * @return null if the field is missing or not a string
     */
    public String text(String path) {
        return value(path) instanceof String text ? text : null;
    }
}
