package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;

/** In-memory windows of one identifier. Methods require the caller to hold this object's monitor, and never block. */
final class IdentifierWindows {

    /** Approximate bytes used by the maps, keys and objects of an identifier, a window and a reservation. */
    private static final int OVERHEAD = 250;
    private static final int WINDOW_OVERHEAD = 200;
    private static final int RESERVATION_OVERHEAD = 300;
    /** Microseconds by which the clock may be behind a window's newest entry before it counts as set back. */
    private static final long SKEW = 1_000_000;

    /** Reserved cost of one window, with the sub-window that counts it. */
    private record ReservedCost(SlidingWindowCounter window, WindowKey key, long bucket, long cost) {
    }

    private final long exactUpTo;
    private final Map<WindowKey, SlidingWindow> windows = new HashMap<>(2);
    /** By id, oldest first. */
    private final Map<String, List<ReservedCost>> reservations = new LinkedHashMap<>(2);
    /** Usage that Redis has not counted; null if there is none. */
    private UnsyncedUsage unsynced;
    /** Read without the monitor too. */
    private volatile long longestSpan;
    private int pruneAt = 8;
    private int pruneReservationsAt = 16;
    private boolean evicted;

    IdentifierWindows(long exactUpTo) {
        this.exactUpTo = exactUpTo;
    }

    /** Marks this entry as removed from the cache: usage counted here from now on would be lost. */
    void markEvicted() {
        evicted = true;
    }

    boolean evicted() {
        return evicted;
    }

    /**
     * Grants all claims or none.
     *
     * @param reservation null if no claim is reserved
     */
    StoreResult take(List<WindowClaim> claims, long clock, boolean consume, String reservation) {
        if (windows.size() >= pruneAt) {
            prune(clock);
        }
        var found = new SlidingWindow[claims.size()];
        long now = clock; // the latest of all windows, so that one call has one time
        var retries = new long[claims.size()];
        boolean admitted = true;
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            var window = windows.get(WindowKey.of(claim));
            found[i] = window;
            now = window == null ? now : Math.max(now, advance(window, clock));
            long used = window == null ? 0 : window.used();
            if (claim.cost() > claim.share()) {
                retries[i] = StoreResult.NEVER;
                admitted = false;
            } else if (claim.cost() > 0 && used + claim.cost() > claim.share()) {
                retries[i] = window.freeAt(used + claim.cost() - claim.share());
                admitted = false;
            }
        }
        var states = new StoreResult.WindowState[found.length];
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            if (admitted && consume && claim.cost() > 0) {
                found[i] = openWindow(claim, found[i], now);
                found[i].add(now, claim.cost());
                if (claim.reserved() && found[i] instanceof SlidingWindowCounter counter) {
                    reserve(reservation, new ReservedCost(counter, WindowKey.of(claim), counter.bucketOf(now), claim.cost()),
                            clock);
                }
            }
            long used = found[i] == null ? 0 : found[i].used();
            states[i] = new StoreResult.WindowState(used, used == 0 ? 0 : found[i].freeAt(1), retries[i]);
        }
        return new StoreResult(admitted, now, states);
    }

    /**
     * Counts a grant by Redis, at Redis's time.
     *
     * @param count number of requests with this grant
     */
    void record(List<WindowClaim> claims, StoreResult granted, String reservation, int count) {
        if (windows.size() >= pruneAt) {
            prune(granted.now());
        }
        for (var claim : claims) {
            if (claim.cost() > 0) {
                var found = windows.get(WindowKey.of(claim));
                var window = found instanceof SlidingWindowCounter ? found : openWindow(claim, found, granted.now());
                advance(window, granted.now());
                window.insert(granted.now(), count * claim.cost());
                if (claim.reserved() && window instanceof SlidingWindowCounter counter) {
                    reserve(reservation,
                            new ReservedCost(counter, WindowKey.of(claim), counter.bucketOf(granted.now()), claim.cost()),
                            granted.now());
                }
            }
        }
    }

    /** Moves a grant to the time at which Redis granted it too. */
    void moveGrant(List<WindowClaim> claims, long from, long to) {
        for (var claim : claims) {
            if (claim.cost() > 0 && windows.get(WindowKey.of(claim)) instanceof SlidingLog log
                    && log.remove(from, claim.cost())) {
                log.insert(to, claim.cost());
            }
        }
    }

    /** Records a local grant at this time as not counted by Redis. */
    void addUnsynced(List<WindowClaim> claims, long time, String reservation) {
        unsynced = unsynced == null ? new UnsyncedUsage() : unsynced;
        for (var claim : claims) {
            if (claim.cost() > 0) {
                unsynced.add(WindowKey.of(claim), claim.isExact(exactUpTo), time, claim.cost());
                if (claim.reserved()) {
                    long width = claim.span() / SlidingWindowCounter.PARTS;
                    unsynced.reserve(reservation,
                            new UnsyncedUsage.ReservationPart(WindowKey.of(claim), Math.floorDiv(time, width), claim.cost()));
                }
            }
        }
    }

    /**
     * Records usage that Redis had counted but may have lost since a time, in microseconds.
     *
     * @param logsSince for sliding logs, of which units that are still in Redis are not counted twice
     * @param countersSince for sliding window counters
     */
    void markUnsyncedSince(long logsSince, long countersSince, long clock) {
        var usage = unsynced == null ? new UnsyncedUsage() : unsynced;
        windows.forEach((key, window) -> {
            advance(window, clock);
            if (window instanceof SlidingLog log) {
                if (log.newest() < logsSince) {
                    return;
                }
                var counted = log.since(logsSince).without(usage.windows().get(key));
                if (counted.used() > 0) {
                    usage.previouslyCounted().put(key, counted);
                }
                return;
            }
            var since = window.since(countersSince);
            if (since.used() > 0) {
                usage.windows().put(key, since);
            }
        });
        reservations.forEach((name, parts) -> {
            if (parts.stream().allMatch(part -> windows.get(part.key()) == part.window())
                    && parts.stream().anyMatch(part -> part.window().startOf(part.bucket() + 1) > countersSince)) {
                usage.reservations().put(name, parts.stream()
                        .map(part -> new UnsyncedUsage.ReservationPart(part.key(), part.bucket(), part.cost())).toList());
            }
        });
        unsynced = usage.isEmpty() ? null : usage;
    }

    /** Returns whether there is usage that Redis has not counted. */
    boolean hasUnsynced() {
        return unsynced != null;
    }

    /** Removes and returns the usage that Redis has not counted; null if there is none. */
    UnsyncedUsage drainUnsynced() {
        var drained = unsynced;
        unsynced = null;
        return drained;
    }

    /** Restores usage whose merge into Redis failed, see {@link UnsyncedUsage#restore}. */
    void restoreUnsynced(UnsyncedUsage other, boolean certain, long now) {
        unsynced = unsynced == null ? new UnsyncedUsage() : unsynced;
        unsynced.restore(other, certain, now);
    }

    private void reserve(String reservation, ReservedCost reserved, long clock) {
        if (reservations.size() >= pruneReservationsAt) {
            reservations.values()
                    .removeIf(others -> others.stream().allMatch(other -> other.window().hasLeft(other.bucket(), clock)));
            pruneReservationsAt = Math.max(16, 2 * reservations.size());
        }
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2)).add(reserved);
    }

    /** Settles a reservation. Returns whether Redis had not counted it, and so has nothing to settle. */
    boolean settle(String reservation, Map<String, Long> used, long clock) {
        boolean wasUnsynced = unsynced != null && unsynced.settle(reservation, used);
        var parts = reservations.remove(reservation);
        if (parts == null) {
            return wasUnsynced;
        }
        for (var part : parts) {
            var actual = used.get(part.key().resource());
            if (actual != null && windows.get(part.key()) == part.window()) {
                advance(part.window(), clock);
                part.window().correct(part.bucket(), actual - part.cost());
            }
        }
        return wasUnsynced;
    }

    private SlidingWindow openWindow(WindowClaim claim, SlidingWindow found, long now) {
        boolean exact = claim.isExact(exactUpTo);
        if (found != null && found instanceof SlidingLog == exact) {
            return found;
        }
        var opened = exact ? new SlidingLog(claim.span()) : new SlidingWindowCounter(claim.span());
        if (found != null) {
            found.copyTo(opened, now);
        }
        windows.put(WindowKey.of(claim), opened);
        longestSpan = Math.max(longestSpan, claim.span());
        return opened;
    }

    /** Removes empty windows; must not run while a call holds one. */
    private void prune(long clock) {
        windows.values().removeIf(window -> {
            advance(window, clock);
            return window.used() == 0;
        });
        pruneAt = Math.max(8, 2 * windows.size());
    }

    private static long advance(SlidingWindow window, long clock) {
        long now = clock;
        long newest = window.newest();
        if (newest > clock) {
            if (newest - clock > SKEW) {
                window.shiftBack(newest - clock);
            } else {
                now = newest;
            }
        }
        window.advance(now);
        return now;
    }

    long used(String resource, long span, long clock) {
        var window = windows.get(new WindowKey(resource, span));
        if (window == null) {
            return 0;
        }
        advance(window, clock);
        return window.used();
    }

    Map<String, Long> used(long clock) {
        var longest = new HashMap<String, Long>();
        var spans = new HashMap<String, Long>();
        windows.forEach((key, window) -> {
            advance(window, clock);
            if (window.used() > 0 && key.span() > spans.getOrDefault(key.resource(), 0L)) {
                spans.put(key.resource(), key.span());
                longest.put(key.resource(), window.used());
            }
        });
        return longest;
    }

    void reset(String resource) {
        windows.keySet().removeIf(key -> resource == null || key.resource().equals(resource));
        if (unsynced != null) {
            unsynced.reset(resource);
        }
    }

    long longestSpan() {
        return longestSpan;
    }

    int estimatedBytes() {
        long bytes = OVERHEAD;
        for (var window : windows.values()) {
            bytes += WINDOW_OVERHEAD + 8L * window.weight();
        }
        bytes += unsynced == null ? 0 : 8L * unsynced.weight() + WINDOW_OVERHEAD * (long) unsynced.windows().size();
        bytes += RESERVATION_OVERHEAD * (long) reservations.size();
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }
}
