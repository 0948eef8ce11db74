package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.WindowKey;

/**
 * Usage of one identifier that was granted locally and that Redis has not counted, or may have lost. Not thread-safe; guarded by the
 * {@link IdentifierWindows} it belongs to.
 */
public final class UnsyncedUsage {

    /**
     * Part of a reservation in one window.
     *
     * @param bucket number of the sub-window that counts it
     */
    public record ReservationPart(WindowKey window, long bucket, long cost) {
    }

    /** Approximate bytes used by the objects of a window, and of a reservation. */
    private static final int WINDOW_OVERHEAD = 150;
    private static final int RESERVATION_OVERHEAD = 300;

    private final Map<WindowKey, SlidingWindow> windows = new HashMap<>(2);
    private final Map<WindowKey, SlidingLog> previouslyCounted = new HashMap<>(2);
    private final Map<String, List<ReservationPart>> reservations = new HashMap<>(2);
    private long windowBytes;

    /** Returns usage that Redis has not counted. */
    public Map<WindowKey, SlidingWindow> windows() {
        return windows;
    }

    /** Returns usage that Redis had counted; the merge adds only the units that Redis has lost. */
    public Map<WindowKey, SlidingLog> previouslyCounted() {
        return previouslyCounted;
    }

    /** Returns the unsettled reservations by id. */
    public Map<String, List<ReservationPart>> reservations() {
        return reservations;
    }

    void add(WindowKey key, boolean exact, long time, long units) {
        long before = bytes(windows.get(key));
        var window = window(key, exact, time);
        window.insert(time, units);
        windowBytes += bytes(window) - before;
    }

    private static long bytes(SlidingWindow window) {
        return window == null ? 0 : WINDOW_OVERHEAD + 8L * window.weight();
    }

    /** Measures the memory after windows were added, removed or replaced by other means than {@link #add}. */
    void measure() {
        windowBytes = windows.values().stream().mapToLong(UnsyncedUsage::bytes).sum()
                + previouslyCounted.values().stream().mapToLong(UnsyncedUsage::bytes).sum();
    }

    /** Returns the window; if it is requested both as log and as counter, the coarser form, a counter, is kept. */
    private SlidingWindow window(WindowKey key, boolean exact, long now) {
        var found = windows.get(key);
        if (found == null) {
            found = exact ? new SlidingLog(key.span()) : new SlidingWindowCounter(key.span());
            windows.put(key, found);
            return found;
        }
        found.advance(now);
        if (found instanceof SlidingLog && !exact) {
            var counter = new SlidingWindowCounter(key.span());
            found.copyTo(counter, now);
            windows.put(key, counter);
            found = counter;
        }
        return found;
    }

    void reserve(String reservation, ReservationPart part) {
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2)).add(part);
    }

    /** Settles a reservation; returns false if it is not part of this usage. */
    boolean settle(String reservation, Map<String, Long> used) {
        var parts = reservations.remove(reservation);
        if (parts == null) {
            return false;
        }
        for (var part : parts) {
            var actual = used.get(part.window().resource());
            if (actual != null && windows.get(part.window()) instanceof SlidingWindowCounter counter) {
                counter.correct(part.bucket(), actual - part.cost());
            }
        }
        return true;
    }

    /**
     * Adds usage whose merge into Redis failed.
     *
     * @param certain false if Redis may have counted it; for logs, the merge detects that
     */
    void restore(UnsyncedUsage other, boolean certain, long now) {
        other.windows.forEach((key, window) -> {
            if (!certain && window instanceof SlidingLog log) {
                log.copyTo(other.previouslyCounted.computeIfAbsent(key, name -> new SlidingLog(key.span())), now);
            } else if (windows.containsKey(key)) {
                window.copyTo(window(key, window instanceof SlidingLog, now), now);
            } else {
                windows.put(key, window);
            }
        });
        previouslyCounted.putAll(other.previouslyCounted);
        reservations.putAll(other.reservations);
        measure();
    }

    void reset(String resource) {
        windows.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        previouslyCounted.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        reservations.values().removeIf(parts -> parts.stream()
                .anyMatch(part -> resource == null || part.window().resource().equals(resource)));
        measure();
    }

    public boolean isEmpty() {
        return windows.values().stream().allMatch(window -> window.used() == 0) && previouslyCounted.isEmpty()
                && reservations.isEmpty();
    }

    /** Returns the approximate memory. */
    long bytes() {
        return windowBytes + (long) RESERVATION_OVERHEAD * reservations.size();
    }
}
