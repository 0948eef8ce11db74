package dev.sluice.window;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one identifier was granted here and Redis has not counted, or may have forgotten. Not thread-safe: the account it
 * belongs to sees to that.
 */
final class Backlog {

    /**
     * What a reservation took of one window.
     *
     * @param bucket the sub-window it was taken of
     */
    record Part(WindowKey window, long bucket, long cost) {
    }

    private final Map<WindowKey, Window> windows = new HashMap<>(2);
    private final Map<WindowKey, LogWindow> remembered = new HashMap<>(2);
    private final Map<String, List<Part>> reservations = new HashMap<>(2);

    Map<WindowKey, Window> windows() {
        return windows;
    }

    /** What Redis had counted: of this it is to take what is not there any more. */
    Map<WindowKey, LogWindow> remembered() {
        return remembered;
    }

    /** What is to be settled yet, by the reservation's name. */
    Map<String, List<Part>> reservations() {
        return reservations;
    }

    void add(WindowKey key, boolean exact, long time, long units) {
        window(key, exact, time).insert(time, units);
    }

    /** Where a window is kept in two forms, the coarser one is. */
    private Window window(WindowKey key, boolean exact, long now) {
        var found = windows.get(key);
        if (found == null) {
            found = exact ? new LogWindow(key.span()) : new RingWindow(key.span());
            windows.put(key, found);
            return found;
        }
        found.advance(now);
        if (found instanceof LogWindow && !exact) {
            var ring = new RingWindow(key.span());
            found.pourInto(ring, now);
            windows.put(key, ring);
            found = ring;
        }
        return found;
    }

    void reserve(String reservation, Part part) {
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
            if (actual != null && windows.get(part.window()) instanceof RingWindow ring) {
                ring.correct(part.bucket(), actual - part.cost());
            }
        }
        return true;
    }

    /**
     * Takes the other's in: it could not be handed over.
     *
     * @param certain false: perhaps it was; of logs, Redis can tell
     */
    void takeBack(Backlog other, boolean certain, long now) {
        other.windows.forEach((key, window) -> {
            if (!certain && window instanceof LogWindow log) {
                log.pourInto(other.remembered.computeIfAbsent(key, name -> new LogWindow(key.span())), now);
            } else if (windows.containsKey(key)) {
                window.pourInto(window(key, window instanceof LogWindow, now), now);
            } else {
                windows.put(key, window);
            }
        });
        remembered.putAll(other.remembered);
        reservations.putAll(other.reservations);
    }

    void forget(String resource) {
        windows.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        remembered.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        reservations.values().removeIf(parts -> parts.stream()
                .anyMatch(part -> resource == null || part.window().resource().equals(resource)));
    }

    boolean isEmpty() {
        return windows.values().stream().allMatch(window -> window.used() == 0) && remembered.isEmpty()
                && reservations.isEmpty();
    }

    int weight() {
        return windows.values().stream().mapToInt(Window::weight).sum()
                + remembered.values().stream().mapToInt(Window::weight).sum();
    }
}
