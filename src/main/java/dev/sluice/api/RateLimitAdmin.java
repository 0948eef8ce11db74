package dev.sluice.api;

import java.time.Duration;
import java.util.Map;

import io.smallrye.mutiny.Uni;

/**
 * Reads usage and resets windows. A CDI bean; thread-safe.
 * <p>
 * While Redis is unavailable, the fallback {@code local} reads the windows of this instance; with the others, reading fails with
 * {@link StoreUnavailableException}. So does a reset, with any fallback; it may have reset the windows of this instance. Subscribed
 * on an event-loop context of Vert.x, a {@code Uni} completes on that context; otherwise, it may complete on any thread and must not
 * be blocked there.
 */
public interface RateLimitAdmin {

    /**
     * Returns the usage of one window. Consumes nothing.
     *
     * @param identifier owner of the window
     * @param resource name of the resource
     * @param window length of the window, as in its quota
     */
    Uni<WindowUsage> usage(String identifier, String resource, Duration window);

    /**
     * Returns the usage of the current period of the calendar: its window lasts from the begin of the period to its end. Consumes
     * nothing.
     *
     * @param identifier owner of the window
     * @param resource name of the resource
     * @param period kind of the period, as in its quota
     */
    default Uni<WindowUsage> usage(String identifier, String resource, CalendarPeriod period) {
        return Uni.createFrom().failure(new UnsupportedOperationException("no calendar periods"));
    }

    /**
     * Returns the usage of an identifier.
     *
     * @param identifier owner of the windows
     * @return the units in the longest window of each resource, by resource; empty if nothing is counted
     */
    Uni<Map<String, Long>> limits(String identifier);

    /**
     * Resets the windows of an identifier on one resource, and frees its leases. Slots of requests in flight are not freed.
     *
     * @param identifier owner of the windows
     * @param resource name of the resource
     */
    Uni<Void> reset(String identifier, String resource);

    /**
     * Resets all windows of an identifier, and frees its leases. Slots of requests in flight are not freed.
     *
     * @param identifier owner of the windows
     */
    Uni<Void> reset(String identifier);

    /** Resets all windows of all identifiers. Leases are not freed. */
    Uni<Void> resetAll();
}
