package dev.sluice.llm.protocol.json;

import java.util.HashMap;
import java.util.Map;

/** Fields collected from one JSON object. The last of duplicate fields is valid; null removes a field. */
public final class JsonFields {

    /** Returned for a count that is not a whole number, or does not fit a {@code long}. */
    public static final long INVALID_COUNT = -1;

    private final Map<String, Object> values = new HashMap<>();

    /** @param value a string, long or boolean; any other object for a value of another type */
    void put(String path, Object value) {
        remove(path);
        values.put(path, value);
    }

    /** Removes the field and everything below it. */
    void remove(String path) {
        if (!values.isEmpty()) {
            values.keySet()
                    .removeIf(other -> other.startsWith(path)
                            && (other.length() == path.length() || other.charAt(path.length()) == '.'));
        }
    }

    /**
     * Returns whether the path has a value.
     *
     * @param path the path, such as {@code usage.prompt_tokens}
     * @return false if the field is missing or null
     */
    public boolean has(String path) {
        return values.containsKey(path);
    }

    /**
     * Returns whether the value is {@code true}.
     *
     * @param path the path
     * @return false for any other value
     */
    public boolean isTrue(String path) {
        return Boolean.TRUE.equals(values.get(path));
    }

    /**
     * Returns the count at a path.
     *
     * @param path the path
     * @return null if the field is missing; {@link #INVALID_COUNT} if it is not a whole number
     */
    public Long count(String path) {
        var value = values.get(path);
        return value == null || value instanceof Long ? (Long) value : Long.valueOf(INVALID_COUNT);
    }

    /**
     * Returns the string at a path.
     *
     * @param path the path
     * @return null if the field is missing or not a string
     */
    public String text(String path) {
        return values.get(path) instanceof String text ? text : null;
    }
}
