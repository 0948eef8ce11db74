package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.WindowKey;

/** Reservations of one identifier that are not settled. Not thread-safe; guarded by {@link IdentifierWindows}. */
final class OpenReservations {

    /** Approximate bytes used by a reservation. */
    private static final int OVERHEAD = 300;
    private static final int MIN_PRUNE_SIZE = 16;

    /** Reserved cost of one window, with the sub-window that counts it. */
    private record ReservedCost(SlidingWindowCounter window, WindowKey key, long bucket, long cost) {

        boolean isCurrent(WindowTable windows) {
            var found = windows.find(key);
            return found != null && found.units() == window;
        }
    }

    /** By id, oldest first. */
    private final Map<String, List<ReservedCost>> reservations = new LinkedHashMap<>(2);
    private int pruneAt = MIN_PRUNE_SIZE;

    /** Records what a reservation took from a window at a time. */
    void add(String reservation, SlidingWindowCounter window, WindowKey key, long time, long cost, long clock) {
        if (reservations.size() >= pruneAt) {
            reservations.values()
                    .removeIf(others -> others.stream().allMatch(other -> other.window().hasLeft(other.bucket(), clock)));
            pruneAt = Math.max(MIN_PRUNE_SIZE, 2 * reservations.size());
        }
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2))
                .add(new ReservedCost(window, key, window.bucketOf(time), cost));
    }

    /** Corrects the windows by what was used. */
    void settle(String reservation, Map<String, Long> used, WindowTable windows, long clock) {
        var parts = reservations.remove(reservation);
        if (parts == null) {
            return;
        }
        for (var part : parts) {
            var actual = used.get(part.key().resource());
            if (actual != null && part.isCurrent(windows)) {
                windows.find(part.key()).advance(clock);
                part.window().correct(part.bucket(), actual - part.cost());
            }
        }
    }

    /** Adds the reservations that Redis may have lost since a time to the usage. */
    void copyTo(UnsyncedUsage usage, WindowTable windows, long since) {
        reservations.forEach((name, parts) -> {
            if (parts.stream().allMatch(part -> part.isCurrent(windows))
                    && parts.stream().anyMatch(part -> part.window().startOf(part.bucket() + 1) > since)) {
                usage.reservations().put(name, parts.stream()
                        .map(part -> new UnsyncedUsage.ReservationPart(part.key(), part.bucket(), part.cost())).toList());
            }
        });
    }

    /** Returns the approximate memory of the reservations. */
    long bytes() {
        return (long) OVERHEAD * reservations.size();
    }
}
