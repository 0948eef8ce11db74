package dev.sluice.store.memory;

/**
 * One window in memory; not thread-safe. Times are microseconds and never go back between calls of one window.
 */
public interface SlidingWindow {

    /** Drops what has left the window at {@code now}. */
    void advance(long now);

    /** The newest time it knows; {@link Long#MIN_VALUE} where it is empty. */
    long newest();

    /** Moves everything back in time: the clock was set back. */
    void shiftBack(long micros);

    /** Units in it. */
    long used();

    /** When that many of the used units have left. */
    long freeAt(long units);

    void add(long now, long units);

    /** Adds what was taken at a time that may be earlier than the newest. */
    void insert(long time, long units);

    /** How much memory it takes, in units of a long. */
    int weight();

    /** Hands every unit to the other window, as it counts here. */
    void copyTo(SlidingWindow other, long now);

    /** A window of its own with what was taken at this time or later, in whole sub-windows. */
    SlidingWindow since(long time);

    /** Writes {@code time:units,time:units}, oldest first; of sub-windows their numbers. */
    void appendTo(StringBuilder text);
}
