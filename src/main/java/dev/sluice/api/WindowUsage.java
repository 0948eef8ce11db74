package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Usage of one window.
 *
 * @param identifier owner of the window
 * @param resource name of the resource
 * @param used units counted in the window
 * @param window length of the window
 * @param end end of the window: the time of the query, by the clock of the store; of a calendar period, its end
 */
public record WindowUsage(String identifier, String resource, long used, Duration window, Instant end) {

    /**
     * Returns the JSON form: the fields of the response to {@code GET /v1/usage}. Jackson uses it.
     *
     * @return {@code identifier}, {@code resource}, {@code current}, {@code window_start}, {@code window_end}; the times in Unix
     *         seconds
     */
    @JsonValue
    public Map<String, Object> toMap() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("identifier", identifier);
        fields.put("resource", resource);
        fields.put("current", used);
        fields.put("window_start", start().getEpochSecond());
        fields.put("window_end", end.getEpochSecond());
        return fields;
    }

    /** Returns the start of the window: {@code end} minus its length. */
    public Instant start() {
        return end.minus(window);
    }
}
