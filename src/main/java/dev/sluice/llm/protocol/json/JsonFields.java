package dev.sluice.llm.protocol.json;

import java.util.HashMap;
import java.util.Map;

/** What was found at the wanted places of one JSON object. Of what comes twice the last counts; a null is nothing. */
public final class JsonFields {

    /** Stands for a count that is no whole number. */
    public static final long INVALID_COUNT = -1;

    private final Map<String, Object> values = new HashMap<>();

    /** @param value a string, a long, a boolean, or anything else for what is none of them */
    void put(String path, Object value) {
        remove(path);
        values.put(path, value);
    }

    /** Forgets what is there and below. */
    void remove(String path) {
        if (!values.isEmpty()) {
            values.keySet()
                    .removeIf(other -> other.startsWith(path)
                            && (other.length() == path.length() || other.charAt(path.length()) == '.'));
        }
    }

    public boolean has(String path) {
        return values.containsKey(path);
    }

    public boolean isTrue(String path) {
        return Boolean.TRUE.equals(values.get(path));
    }

    /** The count there; null where there is none, {@link #INVALID_COUNT} where it is no whole number. */
    public Long count(String path) {
        var value = values.get(path);
        return value == null || value instanceof Long ? (Long) value : Long.valueOf(INVALID_COUNT);
    }

    /** The string there; null where there is none. */
    public String text(String path) {
        return values.get(path) instanceof String text ? text : null;
    }
}
