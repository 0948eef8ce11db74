package dev.sluice.window;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All windows of one identifier in memory. Its methods are called with its monitor held, and do nothing that waits. */
final class Account {

    /** What the maps, keys and objects of an account and of a window take, in bytes, about. */
    private static final int OVERHEAD = 250;
    private static final int WINDOW_OVERHEAD = 200;
    private static final int RESERVATION_OVERHEAD = 300;
    /** How far a clock may be behind a window's newest entry before it counts as set back. */
    private static final long SKEW = 1_000_000;

    private record Key(String resource, long span) {
    }

    /** What was taken of one window, in which of its sub-windows. */
    private record Reserved(RingWindow window, Key key, long bucket, long cost) {
    }

    private final long exactUpTo;
    private final Map<Key, Window> windows = new HashMap<>(2);
    /** By name, oldest first. */
    private final Map<String, List<Reserved>> reservations = new LinkedHashMap<>(2);
    private long longestSpan;
    private int pruneAt = 8;
    private boolean forgotten;

    Account(long exactUpTo) {
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
    Outcome take(List<Claim> claims, long clock, boolean consume, String reservation) {
        if (windows.size() >= pruneAt) {
            prune(clock);
        }
        var found = new Window[claims.size()];
        var times = new long[claims.size()];
        var retries = new long[claims.size()];
        boolean admitted = true;
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            var window = windows.get(key(claim));
            found[i] = window;
            times[i] = window == null ? clock : advance(window, clock);
            long used = window == null ? 0 : window.used();
            if (claim.cost() > claim.limit()) {
                retries[i] = Outcome.NEVER;
                admitted = false;
            } else if (claim.cost() > 0 && used + claim.cost() > claim.limit()) {
                retries[i] = window.freeAt(used + claim.cost() - claim.limit());
                admitted = false;
            }
        }
        var states = new Outcome.State[found.length];
        for (int i = 0; i < found.length; i++) {
            var claim = claims.get(i);
            if (admitted && consume && claim.cost() > 0) {
                found[i] = open(claim, found[i], times[i]);
                found[i].add(times[i], claim.cost());
                if (claim.reserved() && found[i] instanceof RingWindow ring) {
                    reserve(reservation, new Reserved(ring, key(claim), ring.bucket(times[i]), claim.cost()), clock);
                }
            }
            long used = found[i] == null ? 0 : found[i].used();
            states[i] = new Outcome.State(used, used == 0 ? 0 : found[i].freeAt(1), retries[i]);
        }
        return new Outcome(admitted, clock, states);
    }

    private static Key key(Claim claim) {
        return new Key(claim.resource(), claim.span());
    }

    private void reserve(String reservation, Reserved reserved, long clock) {
        if (reservations.size() >= 16) {
            reservations.values()
                    .removeIf(others -> others.stream().allMatch(other -> other.window().gone(other.bucket(), clock)));
        }
        reservations.computeIfAbsent(reservation, name -> new ArrayList<>(2)).add(reserved);
    }

    void settle(String reservation, Map<String, Long> used, long clock) {
        var parts = reservations.remove(reservation);
        if (parts == null) {
            return;
        }
        for (var part : parts) {
            var actual = used.get(part.key().resource());
            if (actual != null && windows.get(part.key()) == part.window()) {
                advance(part.window(), clock);
                part.window().correct(part.bucket(), actual - part.cost());
            }
        }
    }

    private Window open(Claim claim, Window found, long now) {
        boolean exact = claim.exact(exactUpTo);
        if (found != null && found instanceof LogWindow == exact) {
            return found;
        }
        var opened = exact ? new LogWindow(claim.span()) : new RingWindow(claim.span());
        if (found != null) {
            found.pourInto(opened, now);
        }
        windows.put(key(claim), opened);
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

    private static long advance(Window window, long clock) {
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
        var window = windows.get(new Key(resource, span));
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
    }

    long longestSpan() {
        return longestSpan;
    }

    int bytes() {
        long bytes = OVERHEAD;
        for (var window : windows.values()) {
            bytes += WINDOW_OVERHEAD + 8L * window.weight();
        }
        bytes += RESERVATION_OVERHEAD * (long) reservations.size();
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }
}
