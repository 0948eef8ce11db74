package dev.sluice.store.memory;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;

/**
 * Windows of one identifier: a bounded number of them, with their approximate memory, which each change updates. Not thread-safe;
 * guarded by the {@link IdentifierWindows} it belongs to.
 */
final class WindowTable {

    /** Result of {@link #fullUntil}: further windows may be opened. */
    static final long HAS_ROOM = 0;

    private final long exactUpTo;
    private final int maxWindows;
    private final Map<WindowKey, StoredWindow> windows = new HashMap<>(2);
    /** Null until the maximum number of windows is first exceeded. */
    private ExpiryQueue expiries;
    private StoredWindow fullest;
    private boolean exceeded;
    private int pruneAt = 8;
    private long bytes;
    /** Read without the monitor too. */
    private volatile long longestSpan;

    WindowTable(long exactUpTo, int maxWindows) {
        this.exactUpTo = exactUpTo;
        this.maxWindows = maxWindows;
    }

    /** Returns null if there is no such window. */
    StoredWindow find(WindowKey key) {
        return windows.get(key);
    }

    Collection<StoredWindow> windows() {
        return windows.values();
    }

    /** Returns the window for a claim that is about to be counted; opens it, or changes its form, if necessary. */
    StoredWindow open(WindowClaim claim, StoredWindow found, long now) {
        boolean exact = claim.isExact(exactUpTo);
        if (found != null) {
            found.convert(exact, now);
            found.touch(claim, now);
            return found;
        }
        var key = WindowKey.of(claim);
        var opened = new StoredWindow(key, StoredWindow.create(exact, key.span()));
        opened.touch(claim, now);
        windows.put(key, opened);
        if (expiries != null) {
            expiries.add(opened);
        }
        longestSpan = Math.max(longestSpan, opened.lifetime());
        return opened;
    }

    /** Must be called after each change of a window's units. */
    void countGrowth(StoredWindow window) {
        bytes += window.countGrowth();
    }

    /**
     * Removes expired windows: all of them if this many further ones may not have room, otherwise from time to time. Must not run
     * while a call holds a window.
     */
    void prune(int more, long clock) {
        if (expiries == null && windows.size() + more > maxWindows) {
            expiries = new ExpiryQueue(windows.values());
        }
        if (expiries != null) {
            expiries.removeExpired(clock, window -> {
                windows.remove(window.key());
                removed(window);
            });
        } else if (windows.size() >= pruneAt) {
            windows.values().removeIf(window -> window.expiresAt() <= clock && removed(window));
            pruneAt = Math.max(8, 2 * windows.size());
        }
    }

    private boolean removed(StoredWindow window) {
        bytes -= window.countedBytes();
        fullest = fullest == window ? null : fullest;
        return true;
    }

    /**
     * Returns {@link #HAS_ROOM} if this many more windows can be opened, otherwise the time at which they can, or
     * {@link StoreResult#NEVER}. Takes logarithmic time. {@link #prune} must have run.
     */
    long fullUntil(int more, long clock) {
        int excess = windows.size() + more - maxWindows;
        if (excess <= 0) {
            return HAS_ROOM;
        }
        exceeded = true;
        if (excess > windows.size()) {
            return StoreResult.NEVER;
        }
        var first = expiries.first();
        if (first.expiresAt() > first.latestExpiry(clock)) { // the clock was set back
            windows.values().forEach(window -> window.setExpiry(clock));
            expiries = new ExpiryQueue(windows.values());
        }
        return expiries.expiryOf(excess);
    }

    /** Returns whether more windows than the maximum were needed since the last call. */
    boolean pollExceeded() {
        boolean result = exceeded;
        exceeded = false;
        return result;
    }

    /** @param resource null for every resource */
    void reset(String resource) {
        windows.values().removeIf(
                window -> (resource == null || window.key().resource().equals(resource)) && removed(window));
        expiries = null;
    }

    /**
     * Returns the largest share of a limit that a window has used, from 0 (none) to {@link StoredWindow#FULL}. Removes windows
     * without units when it visits all windows.
     *
     * @param enough no larger level than this one is looked for
     */
    int level(long clock, int enough) {
        int level = fullest == null ? 0 : fullest.level(clock);
        if (level >= enough && level > 0) {
            return level;
        }
        level = 0;
        int before = windows.size();
        for (var i = windows.values().iterator(); i.hasNext();) {
            var window = i.next();
            int of = window.level(clock);
            if (of == 0) {
                removed(window);
                i.remove();
            } else if (of > level) {
                level = of;
                fullest = window;
            }
        }
        if (windows.size() < before) {
            expiries = null;
        }
        return level;
    }

    Map<WindowKey, Long> used(long clock) {
        var all = new HashMap<WindowKey, Long>();
        windows.forEach((key, window) -> {
            long used = window.used(clock);
            if (used > 0) {
                all.put(key, used);
            }
        });
        return all;
    }

    long longestSpan() {
        return longestSpan;
    }

    /** Returns the approximate memory of all windows. */
    long bytes() {
        return bytes;
    }
}
