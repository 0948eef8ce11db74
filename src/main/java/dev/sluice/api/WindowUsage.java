package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;

/**
 * What one window holds now.
 *
 * @param identifier whose window it is
 * @param resource of what
 * @param used units counted in the window
 * @param window its length
 * @param end the time of asking; the window reaches back from there
 */
public record WindowUsage(String identifier, String resource, long used, Duration window, Instant end) {

    public Instant start() {
        return end.minus(window);
    }
}
