package dev.sluice.store;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.api.WindowUsage;
import io.smallrye.mutiny.Uni;

/**
 * Store of rate-limit windows. A window is identified by identifier, resource and length, independently of its current limit.
 * No two claims of one call may name the same window.
 * <p>
 * Counts of limits up to {@code exactUpTo} are exact. Larger ones are counted in sub-windows of a sixtieth; a partly
 * covered sub-window counts in full. The limit is never exceeded, and a window is at most a sixtieth too strict.
 */
public interface WindowStore {

    /**
     * Grants all claims or none.
     *
     * @param consume false: queries only and changes nothing
     * @param reservation id of the reservation for the reserved claims; null if there are none
     */
    Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation);

    /**
     * Replaces the reserved units by the units used. Idempotent: does nothing if the reservation is already settled or unknown,
     * has left its window, or was reset with it.
     */
    Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used);

    /** Returns the units used in a window; changes nothing. */
    Uni<WindowUsage> usage(String identifier, String resource, Duration window);

    /** Returns the units used in the calendar period that contains the store's time, of the same kind and zone as another one. */
    Uni<WindowUsage> usage(String identifier, String resource, CalendarWindow period);

    /** Returns the units used in each window of an identifier; omits empty windows. */
    Uni<Map<WindowKey, Long>> windows(String identifier);

    /** Returns the units used by resource, each in its longest window; omits empty windows. */
    default Uni<Map<String, Long>> limits(String identifier) {
        return windows(identifier).map(windows -> {
            var longest = new HashMap<String, WindowKey>();
            windows.keySet().forEach(
                    window -> longest.merge(window.resource(), window,
                            (one, other) -> one.span() >= other.span() ? one : other));
            var used = new HashMap<String, Long>();
            longest.forEach((resource, window) -> used.put(resource, windows.get(window)));
            return used;
        });
    }

    /**
     * Deletes an identifier's windows.
     *
     * @param resource null for every resource of the identifier
     */
    Uni<Void> reset(String identifier, String resource);

    /** Deletes all windows of all identifiers. */
    Uni<Void> resetAll();
}
