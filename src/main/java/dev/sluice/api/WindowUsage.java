package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;

/**
 * Usage of one window.
 *
 * @param identifier owner of the window
 * @param resource name of the resource
 * @param used units counted in the window
 * @param window length of the window
 * @param end end of the window: the time of the query, by the clock of the store
 */
public record WindowUsage(String identifier, String resource, long used, Duration window, Instant end) {

    /** Returns the start of the window: {@code end} minus its length. */
    public Instant start() {
        return end.minus(window);
    }
}
