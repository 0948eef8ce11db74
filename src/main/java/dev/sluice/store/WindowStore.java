package dev.sluice.store;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import dev.sluice.api.WindowUsage;
import io.smallrye.mutiny.Uni;

/**
 * Where windows are kept. A window is known by identifier, resource and length, whatever its limit is at the moment; no two
 * claims of one call may name the same.
 * <p>
 * Counts of limits up to {@code exactUpTo} are exact. Larger ones are kept in sub-windows of a sixtieth, of which a partly
 * covered one counts whole: never over the limit, at most a sixtieth of a window too strict.
 */
public interface WindowStore {

    /**
     * Grants all claims, or none.
     *
     * @param consume false: only asks, and changes nothing
     * @param reservation names what the reserved claims take; null where none is
     */
    Uni<StoreResult> take(String identifier, List<WindowClaim> claims, boolean consume, String reservation);

    /**
     * Corrects what was reserved to what was used, once: a second time nothing happens, nor where the reservation is not
     * known, has left its window or was reset with it.
     */
    Uni<Void> settle(String identifier, ReservationToken reservation, Map<String, Long> used);

    Uni<WindowUsage> usage(String identifier, String resource, Duration window);

    Uni<Map<String, Long>> limits(String identifier);

    /** @param resource null: every resource of the identifier */
    Uni<Void> reset(String identifier, String resource);

    Uni<Void> resetAll();
}
