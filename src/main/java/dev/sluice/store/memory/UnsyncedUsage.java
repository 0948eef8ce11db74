package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.WindowKey;

/**
 * What one identifier was granted here and Redis has not counted, or may have forgotten. Not thread-safe: the account it
 * belongs to sees to that.
 */
public final class UnsyncedUsage {

    /**
     * What a reservation took of one window.
     *
     * @param bucket the sub-window it was taken of
     */
    public record ReservedPart(WindowKey window, long bucket, long cost) {
    }

    private final Map<WindowKey, SlidingWindow> windows = new HashMap<>(2);
    private final Map<WindowKey, SlidingLog> previouslyCounted = new HashMap<>(2);
    private final Map<String, List<ReservedPart>> reservations = new HashMap<>(2);

    public Map<WindowKey, SlidingWindow> windows() {
        return windows;
    }

    /** What Redis had counted: of this it is to take what is not there any more. */
    public Map<WindowKey, SlidingLog> previouslyCounted() {
        return previouslyCounted;
    }

    /** What is to be settled yet, by the reservation's name. */
    public Map<String, List<ReservedPart>> reservations() {
        return reservations;
    }

    void add(WindowKey key, boolean exact, long time, long units) {
        window(key, exact, time).insert(time, units);
    }

    /** Where a window is kept in two forms, the coarser one is. */
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

    void reserve(String reservation, ReservedPart part) {
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2)).add(part);
    }

    /** Corrects what a reservation took; false where it is not in here. */
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
     * Takes the other's in: it could not be handed over.
     *
     * @param certain false: perhaps it was; of logs, Redis can tell
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
    }

    void reset(String resource) {
        windows.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        previouslyCounted.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        reservations.values().removeIf(parts -> parts.stream()
                .anyMatch(part -> resource == null || part.window().resource().equals(resource)));
    }

    public boolean isEmpty() {
        return windows.values().stream().allMatch(window -> window.used() == 0) && previouslyCounted.isEmpty()
                && reservations.isEmpty();
    }

    int weight() {
        return windows.values().stream().mapToInt(SlidingWindow::weight).sum()
                + previouslyCounted.values().stream().mapToInt(SlidingWindow::weight).sum();
    }
}
