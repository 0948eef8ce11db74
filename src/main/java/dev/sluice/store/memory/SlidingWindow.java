package dev.sluice.store.memory;

/**
 * Window in memory. Not thread-safe. Times are microseconds and never go back between calls of one window.
 */
public interface SlidingWindow {

    /** Removes units that have left the window at {@code now}. */
    void advance(long now);

    /** Returns the time of the newest unit; {@link Long#MIN_VALUE} if the window is empty. */
    long newest();

    /**
     * Moves all units back in time, after the clock was set back.
     *
     * @param earliest units are not moved to a time before this one
     */
    void shiftBack(long micros, long earliest);

    /** Returns the number of units in the window. */
    long used();

    /** Returns the time at which this many of the used units have left. */
    long freeAt(long units);

    /** Adds units at a time not earlier than the newest. */
    void add(long now, long units);

    /** Adds units at a time that may be earlier than the newest. */
    void insert(long time, long units);

    /** Returns the memory used, in units of 8 bytes. */
    int weight();

    /** Adds all units to another window, at times that do not let them leave earlier than here. */
    void copyTo(SlidingWindow other, long now);

    /** Returns a new window with the units of this time or later; sub-windows are included in full. */
    SlidingWindow since(long time);

    /** Appends {@code time:units,time:units}, oldest first; for sub-windows their number instead of the time. */
    void appendTo(StringBuilder text);
}
