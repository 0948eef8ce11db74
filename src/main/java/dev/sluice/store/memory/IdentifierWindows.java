package dev.sluice.store.memory;

import java.util.List;
import java.util.Map;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;

/**
 * In-memory windows of one identifier. Not thread-safe; guarded by the {@link CacheEntry} it belongs to. Methods never block. The
 * time of a decision does not depend on the number of windows or on the cost.
 */
final class IdentifierWindows {

    /** Approximate bytes used by the objects of an identifier without windows. */
    private static final int OVERHEAD = 330;

    private final long exactUpTo;
    private final WindowTable windows;
    /** Null until the first reservation. */
    private OpenReservations reservations;
    /** Usage that Redis has not counted; null if there is none. */
    private UnsyncedUsage unsynced;

    IdentifierWindows(long exactUpTo, int maxWindows) {
        this.exactUpTo = exactUpTo;
        this.windows = new WindowTable(exactUpTo, maxWindows);
    }

    /**
     * Grants all claims or none.
     *
     * @param reservation null if no claim is reserved
     */
    StoreResult take(List<WindowClaim> claims, long clock, boolean consume, String reservation) {
        windows.prune(claims.size(), clock);
        var found = new StoredWindow[claims.size()];
        long now = clock; // the latest of all windows, so that one call has one time
        long end = Long.MAX_VALUE; // of the first calendar period
        var retries = new long[claims.size()];
        boolean admitted = true;
        int missing = 0;
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            var key = WindowKey.of(claim);
            var window = windows.find(key);
            found[i] = window;
            end = Math.min(end, key.end());
            now = window == null ? now : Math.max(now, window.advance(clock));
            long used = window == null ? 0 : window.units().used();
            if (claim.cost() > claim.share()) {
                retries[i] = StoreResult.NEVER;
                admitted = false;
            } else if (claim.cost() > 0 && used + claim.cost() > claim.share()) {
                retries[i] = window.freeAt(used + claim.cost() - claim.share());
                admitted = false;
            } else if (claim.cost() > 0 && window == null) {
                missing++;
            }
        }
        long fullUntil = admitted && missing > 0 ? windows.fullUntil(missing, clock) : WindowTable.HAS_ROOM;
        if (fullUntil != WindowTable.HAS_ROOM) {
            return new StoreResult(false, Math.min(now, end - 1), statesWithoutRoom(claims, found, fullUntil));
        }
        var states = new StoreResult.WindowState[found.length];
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            if (admitted && consume && claim.cost() > 0) {
                found[i] = windows.open(claim, found[i], now);
                long time = found[i].timeOf(now);
                found[i].units().add(time, claim.cost());
                windows.countGrowth(found[i]);
                reserve(claim, found[i], time, reservation, clock);
            }
            states[i] = state(found[i], retries[i]);
        }
        return new StoreResult(admitted, Math.min(now, end - 1), states);
    }

    private static StoreResult.WindowState state(StoredWindow window, long retryAt) {
        long used = window == null ? 0 : window.units().used();
        return new StoreResult.WindowState(used, used == 0 ? 0 : window.freeAt(1), retryAt);
    }

    /** Returns the states of a request that would need too many windows: those that are missing count as full. */
    private static StoreResult.WindowState[] statesWithoutRoom(List<WindowClaim> claims, StoredWindow[] found, long until) {
        var states = new StoreResult.WindowState[found.length];
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            states[i] = found[i] == null && claim.cost() > 0
                    ? new StoreResult.WindowState(claim.share(), Math.max(0, until), until)
                    : state(found[i], 0);
        }
        return states;
    }

    /**
     * Counts a grant by Redis, at Redis's time.
     *
     * @param count number of requests with this grant
     */
    void record(List<WindowClaim> claims, StoreResult granted, String reservation, int count) {
        windows.prune(claims.size(), granted.now());
        for (var claim : claims) {
            if (claim.cost() > 0) {
                var window = windows.find(WindowKey.of(claim));
                if (window != null) {
                    window.advance(granted.now());
                }
                if (window != null && window.units() instanceof SlidingWindowCounter) {
                    window.touch(claim, granted.now());
                } else {
                    window = windows.open(claim, window, granted.now());
                }
                window.units().insert(granted.now(), count * claim.cost());
                windows.countGrowth(window);
                reserve(claim, window, granted.now(), reservation, granted.now());
            }
        }
    }

    /** Records what a claim has taken, if it will be settled. */
    void reserve(WindowClaim claim, StoredWindow window, long time, String reservation, long clock) {
        if (claim.reserved() && reservation != null && window.units() instanceof SlidingWindowCounter counter) {
            reservations = reservations == null ? new OpenReservations() : reservations;
            reservations.add(reservation, counter, window.key(), time, claim.cost(), clock);
        }
    }

    /** Moves a grant to the time at which Redis granted it too, which may be in another calendar period. */
    void moveGrant(List<WindowClaim> claims, long from, long to) {
        for (var claim : claims) {
            var there = claim.at(to);
            var window = claim.cost() > 0 ? windows.find(WindowKey.of(claim)) : null;
            if (there != claim && claim.cost() > 0) {
                var other = windows.open(there, windows.find(WindowKey.of(there)), to);
                other.units().insert(to, claim.cost());
                windows.countGrowth(other);
                if (window != null && window.units() instanceof SlidingLog log && log.remove(from, claim.cost())) {
                    windows.countGrowth(window);
                }
            } else if (window != null && window.units() instanceof SlidingLog log && log.remove(from, claim.cost())) {
                log.insert(to, claim.cost());
                windows.countGrowth(window);
            }
        }
    }

    /** Records a local grant at this time as not counted by Redis. */
    void addUnsynced(List<WindowClaim> claims, long time, String reservation) {
        unsynced = unsynced == null ? new UnsyncedUsage() : unsynced;
        for (var claim : claims) {
            if (claim.cost() > 0) {
                unsynced.add(WindowKey.of(claim), claim.isExact(exactUpTo), time, claim.cost());
                if (claim.reserved() && reservation != null) {
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
        for (var window : windows.windows()) {
            window.advance(clock);
            var key = window.key();
            if (window.units() instanceof SlidingLog log) {
                if (log.newest() < logsSince) {
                    continue;
                }
                var counted = log.since(logsSince).without(usage.windows().get(key));
                if (counted.used() > 0) {
                    usage.previouslyCounted().put(key, counted);
                }
                continue;
            }
            var since = window.units().since(countersSince);
            if (since.used() > 0) {
                usage.windows().put(key, since);
            }
        }
        if (reservations != null) {
            reservations.copyTo(usage, windows, countersSince);
        }
        usage.measure();
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

    /** Settles a reservation. Returns whether Redis had not counted it, and so has nothing to settle. */
    boolean settle(String reservation, Map<String, Long> used, long clock) {
        boolean wasUnsynced = unsynced != null && unsynced.settle(reservation, used);
        if (reservations != null) {
            reservations.settle(reservation, used, windows, clock);
        }
        return wasUnsynced;
    }

    long used(WindowKey key, long clock) {
        var window = windows.find(key);
        return window == null ? 0 : window.used(clock);
    }

    Map<WindowKey, Long> used(long clock) {
        return windows.used(clock);
    }

    void reset(String resource) {
        windows.reset(resource);
        if (unsynced != null) {
            unsynced.reset(resource);
        }
    }

    long longestSpan() {
        return windows.longestSpan();
    }

    /** Returns the largest share of a limit that is used, see {@link WindowTable#level}. */
    int level(long clock, int enough) {
        return Math.max(windows.level(clock, enough), unsynced == null ? 0 : 1);
    }

    WindowTable windows() {
        return windows;
    }

    /** Returns the approximate memory. */
    long bytes() {
        return OVERHEAD + windows.bytes() + (unsynced == null ? 0 : unsynced.bytes())
                + (reservations == null ? 0 : reservations.bytes());
    }
}
