package dev.sluice.store.memory;

import dev.sluice.store.WindowClaim;
import dev.sluice.store.WindowKey;

/**
 * Window of an identifier, in the form that its latest limit requires: log or counter. Expires as the window's key in Redis does:
 * two lengths and a second after the first use in each length, or a minute after the period of a calendar window. Not thread-safe; guarded by the {@link IdentifierWindows} it
 * belongs to.
 */
final class StoredWindow {

    /** {@link #level} of a window that is full. */
    static final int FULL = 12;

    /** Approximate bytes used by the objects of a window, without its entries and its name. */
    private static final int OVERHEAD = 220;
    private static final long SECOND = 1_000_000;
    /** Microseconds by which the clock may be behind a window's newest entry before it counts as set back. */
    private static final long SKEW = 1_000_000;
    /** Microseconds for which a calendar window is kept after its period, in case the clock is set back. */
    private static final long CALENDAR_MARGIN = 60 * SECOND;

    private final WindowKey key;
    private SlidingWindow units;
    private long limit;
    private long expiresAt;
    /** End of the window length in which the expiry was set. */
    private long expirySetUntil;
    /** Position in the {@link ExpiryQueue}. */
    private long queuedAt;
    private int countedBytes;

    StoredWindow(WindowKey key, SlidingWindow units) {
        this.key = key;
        this.units = units;
    }

    WindowKey key() {
        return key;
    }

    SlidingWindow units() {
        return units;
    }

    long expiresAt() {
        return expiresAt;
    }

    long queuedAt() {
        return queuedAt;
    }

    void setQueuedAt(long time) {
        queuedAt = time;
    }

    /**
     * Removes units that have left the window.
     *
     * @return the time of the decision: the clock, or the newest unit's time if that is slightly later
     */
    long advance(long clock) {
        long now = clock;
        long newest = units.newest();
        if (newest > clock) {
            if (newest - clock > SKEW) {
                units.shiftBack(newest - clock, key.isCalendar() ? key.end() - key.span() : Long.MIN_VALUE);
            } else {
                now = newest;
            }
        }
        units.advance(timeOf(now)); // a period that is over may be the current one again, if the clock is set back
        return now;
    }

    /** Returns the units that count at a time: none of a calendar window outside of its period. */
    long used(long clock) {
        advance(clock);
        return key.contains(clock) ? units.used() : 0;
    }

    /** Returns when this many units leave: all units of a calendar window do when its period ends. */
    long freeAt(long count) {
        return key.isCalendar() ? key.end() : units.freeAt(count);
    }

    /** Returns the time at which a decision takes units: those of a calendar window are in its period, and none leaves it. */
    long timeOf(long now) {
        return Math.min(now, key.end() - 1);
    }

    /** Changes log or counter, if the other one is required. */
    void convert(boolean exact, long now) {
        if (units instanceof SlidingLog != exact) {
            var converted = create(exact, key.span());
            units.copyTo(converted, now);
            units = converted;
            expirySetUntil = Long.MIN_VALUE;
        }
    }

    static SlidingWindow create(boolean exact, long span) {
        return exact ? new SlidingLog(span) : new SlidingWindowCounter(span);
    }

    /** Records that the window is about to be used by a claim; extends its expiry once per window length. */
    void touch(WindowClaim claim, long now) {
        limit = claim.share();
        if (now >= expirySetUntil || units.used() == 0) {
            setExpiry(now);
        }
    }

    void setExpiry(long now) {
        expirySetUntil = (Math.floorDiv(now, key.span()) + 1) * key.span();
        expiresAt = latestExpiry(now);
    }

    /** Returns for how long the window may be needed after a use. */
    long lifetime() {
        return key.isCalendar() ? key.span() + CALENDAR_MARGIN : key.span();
    }

    /** Returns the expiry of a window that is used at a time: whole seconds, as in the index in Redis. */
    long latestExpiry(long now) {
        if (key.isCalendar()) {
            return Math.max(key.end(), Math.floorDiv(now, SECOND) * SECOND) + CALENDAR_MARGIN;
        }
        long seconds = Math.floorDiv(2 * key.span() + SECOND - 1, SECOND) + 1;
        return (Math.floorDiv(now, SECOND) + seconds) * SECOND;
    }

    /**
     * Returns which share of the limit is used, on a logarithmic scale: 0 for none, {@link #FULL}, one less for a half or more, two
     * less for a quarter or more, and so on down to 1.
     */
    int level(long clock) {
        advance(clock);
        long used = clock >= key.end() + CALENDAR_MARGIN && key.isCalendar() ? 0 : units.used();
        if (used <= 0) {
            return 0;
        } else if (used >= limit) {
            return FULL;
        }
        int halvings = Long.SIZE - Long.numberOfLeadingZeros((limit - 1) / used);
        return Math.max(1, FULL - halvings);
    }

    /** Returns the approximate memory of the window. */
    int bytes() {
        return OVERHEAD + key.resource().length() + 8 * units.weight();
    }

    /** Returns by how much the window has grown since the last call. */
    int countGrowth() {
        int growth = bytes() - countedBytes;
        countedBytes += growth;
        return growth;
    }

    int countedBytes() {
        return countedBytes;
    }
}
