package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;

/** All windows of one identifier in memory. Its methods are called with its monitor held, and do nothing that waits. */
final class IdentifierWindows {

    /** What the maps, keys and objects of an account and of a window take, in bytes, about. */
    private static final int OVERHEAD = 250;
    private static final int WINDOW_OVERHEAD = 200;
    private static final int RESERVATION_OVERHEAD = 300;
    /** How far a clock may be behind a window's newest entry before it counts as set back. */
    private static final long SKEW = 1_000_000;

    /** What was taken of one window, in which of its sub-windows. */
    private record Reserved(SlidingWindowCounter window, WindowKey key, long bucket, long cost) {
    }

    private final long exactUpTo;
    private final Map<WindowKey, SlidingWindow> windows = new HashMap<>(2);
    /** By name, oldest first. */
    private final Map<String, List<Reserved>> reservations = new LinkedHashMap<>(2);
    /** Null where Redis has counted everything, or need not. */
    private UnsyncedUsage backlog;
    /** Read without the monitor too. */
    private volatile long longestSpan;
    private int pruneAt = 8;
    private int pruneReservationsAt = 16;
    private boolean forgotten;

    IdentifierWindows(long exactUpTo) {
        this.exactUpTo = exactUpTo;
    }

    /** Nobody finds this account any more: what is counted here would be lost. */
    void forget() {
        forgotten = true;
    }

    boolean forgotten() {
        return forgotten;
    }

    /** @param reservation null where no claim is reserved */
    StoreResult take(List<WindowClaim> claims, long clock, boolean consume, String reservation) {
        if (windows.size() >= pruneAt) {
            prune(clock);
        }
        var found = new SlidingWindow[claims.size()];
        long now = clock; // of all its windows the latest: one call has one time
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
        var states = new StoreResult.State[found.length];
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            if (admitted && consume && claim.cost() > 0) {
                found[i] = open(claim, found[i], now);
                found[i].add(now, claim.cost());
                if (claim.reserved() && found[i] instanceof SlidingWindowCounter ring) {
                    reserve(reservation, new Reserved(ring, WindowKey.of(claim), ring.bucket(now), claim.cost()), clock);
                }
            }
            long used = found[i] == null ? 0 : found[i].used();
            states[i] = new StoreResult.State(used, used == 0 ? 0 : found[i].freeAt(1), retries[i]);
        }
        return new StoreResult(admitted, now, states);
    }

    /**
     * Counts what Redis granted, at Redis's time.
     *
     * @param times how many requests were granted the same
     */
    void record(List<WindowClaim> claims, StoreResult granted, String reservation, int times) {
        if (windows.size() >= pruneAt) {
            prune(granted.now());
        }
        for (var claim : claims) {
            if (claim.cost() > 0) {
                var found = windows.get(WindowKey.of(claim));
                var window = found instanceof SlidingWindowCounter ? found : open(claim, found, granted.now());
                advance(window, granted.now());
                window.insert(granted.now(), times * claim.cost());
                if (claim.reserved() && window instanceof SlidingWindowCounter ring) {
                    reserve(reservation, new Reserved(ring, WindowKey.of(claim), ring.bucket(granted.now()), claim.cost()),
                            granted.now());
                }
            }
        }
    }

    void move(List<WindowClaim> claims, long from, long to) {
        for (var claim : claims) {
            if (claim.cost() > 0 && windows.get(WindowKey.of(claim)) instanceof SlidingLog log
                    && log.remove(from, claim.cost())) {
                log.insert(to, claim.cost());
            }
        }
    }

    /** Redis has not counted what was granted here at that time. */
    void owe(List<WindowClaim> claims, long time, String reservation) {
        backlog = backlog == null ? new UnsyncedUsage() : backlog;
        for (var claim : claims) {
            if (claim.cost() > 0) {
                backlog.add(WindowKey.of(claim), claim.exact(exactUpTo), time, claim.cost());
                if (claim.reserved()) {
                    long width = claim.span() / SlidingWindowCounter.PARTS;
                    backlog.reserve(reservation,
                            new UnsyncedUsage.Part(WindowKey.of(claim), Math.floorDiv(time, width), claim.cost()));
                }
            }
        }
    }

    /**
     * Redis may have forgotten what it had counted since then.
     *
     * @param logs since when, for windows that keep every unit's time: of these, what is there still is not counted twice
     * @param rings since when, for the others
     */
    void oweSince(long logs, long rings, long clock) {
        var owed = backlog == null ? new UnsyncedUsage() : backlog;
        windows.forEach((key, window) -> {
            advance(window, clock);
            if (window instanceof SlidingLog log) {
                if (log.newest() < logs) {
                    return;
                }
                var seen = log.since(logs).without(owed.windows().get(key));
                if (seen.used() > 0) {
                    owed.remembered().put(key, seen);
                }
                return;
            }
            var since = window.since(rings);
            if (since.used() > 0) {
                owed.windows().put(key, since);
            }
        });
        reservations.forEach((name, parts) -> {
            if (parts.stream().allMatch(part -> windows.get(part.key()) == part.window())
                    && parts.stream().anyMatch(part -> part.window().start(part.bucket() + 1) > rings)) {
                owed.reservations().put(name, parts.stream()
                        .map(part -> new UnsyncedUsage.Part(part.key(), part.bucket(), part.cost())).toList());
            }
        });
        backlog = owed.isEmpty() ? null : owed;
    }

    boolean owes() {
        return backlog != null;
    }

    /** Hands over what Redis has not counted; null where there is nothing. */
    UnsyncedUsage drain() {
        var drained = backlog;
        backlog = null;
        return drained;
    }

    void takeBack(UnsyncedUsage other, boolean certain, long now) {
        backlog = backlog == null ? new UnsyncedUsage() : backlog;
        backlog.takeBack(other, certain, now);
    }

    private void reserve(String reservation, Reserved reserved, long clock) {
        if (reservations.size() >= pruneReservationsAt) {
            reservations.values()
                    .removeIf(others -> others.stream().allMatch(other -> other.window().gone(other.bucket(), clock)));
            pruneReservationsAt = Math.max(16, 2 * reservations.size());
        }
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2)).add(reserved);
    }

    /** Corrects what is counted here; whether Redis has nothing to correct. */
    boolean settle(String reservation, Map<String, Long> used, long clock) {
        boolean here = backlog != null && backlog.settle(reservation, used);
        var parts = reservations.remove(reservation);
        if (parts == null) {
            return here;
        }
        for (var part : parts) {
            var actual = used.get(part.key().resource());
            if (actual != null && windows.get(part.key()) == part.window()) {
                advance(part.window(), clock);
                part.window().correct(part.bucket(), actual - part.cost());
            }
        }
        return here;
    }

    private SlidingWindow open(WindowClaim claim, SlidingWindow found, long now) {
        boolean exact = claim.exact(exactUpTo);
        if (found != null && found instanceof SlidingLog == exact) {
            return found;
        }
        var opened = exact ? new SlidingLog(claim.span()) : new SlidingWindowCounter(claim.span());
        if (found != null) {
            found.pourInto(opened, now);
        }
        windows.put(WindowKey.of(claim), opened);
        longestSpan = Math.max(longestSpan, claim.span());
        return opened;
    }

    /** Drops the empty windows; never while a call holds one. */
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
                window.shift(newest - clock);
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
        if (backlog != null) {
            backlog.forget(resource);
        }
    }

    long longestSpan() {
        return longestSpan;
    }

    int bytes() {
        long bytes = OVERHEAD;
        for (var window : windows.values()) {
            bytes += WINDOW_OVERHEAD + 8L * window.weight();
        }
        bytes += backlog == null ? 0 : 8L * backlog.weight() + WINDOW_OVERHEAD * (long) backlog.windows().size();
        bytes += RESERVATION_OVERHEAD * (long) reservations.size();
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }
}
