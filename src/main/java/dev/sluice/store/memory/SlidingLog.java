package dev.sluice.store.memory;

/**
 * Sliding log: the times at which units were added, and their numbers, oldest first, in a ring buffer. Exact. An entry has one
 * time and any number of units; entries of single units, the most frequent ones, take eight bytes each, others sixteen.
 */
public final class SlidingLog implements SlidingWindow {

    private static final int MIN_CAPACITY = 4;
    /** An array up to this length is not replaced by a smaller one. */
    private static final int SMALL_CAPACITY = 16;

    private final long span;
    /** Ascending; equal times only while {@link #sums} is null. */
    private long[] times = new long[MIN_CAPACITY];
    /** Units up to and including each entry, plus {@link #base}; null while every entry is a single unit. */
    private long[] sums;
    private long base;
    private int head;
    private int size;

    SlidingLog(long span) {
        this.span = span;
    }

    @Override
    public void advance(long now) {
        long edge = now - span;
        if (size == 0 || time(0) > edge) {
            return;
        }
        int expired = firstLater(edge);
        if (sums != null) {
            base = sums[slot(expired - 1)];
        }
        head = slot(expired);
        size -= expired;
    }

    @Override
    public long newest() {
        return size == 0 ? Long.MIN_VALUE : time(size - 1);
    }

    @Override
    public void shiftBack(long micros, long earliest) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            long time = Math.max(time(i) - micros, earliest);
            if (sums == null || kept == 0 || time(kept - 1) != time) {
                kept++;
            }
            times[slot(kept - 1)] = time;
            if (sums != null) {
                sums[slot(kept - 1)] = sums[slot(i)];
            }
        }
        size = kept;
    }

    @Override
    public long used() {
        return unitsTo(size);
    }

    @Override
    public long freeAt(long units) {
        if (sums == null) {
            return time((int) units - 1) + span;
        }
        int low = 0;
        int high = size - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (unitsTo(middle + 1) < units) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return time(low) + span;
    }

    @Override
    public void add(long now, long units) {
        if (units <= 0) {
            return;
        }
        makeRoom(units);
        if (sums != null && size > 0 && time(size - 1) == now) {
            sums[slot(size - 1)] += units;
            return;
        }
        int slot = slot(size);
        if (sums != null) {
            sums[slot] = base + unitsTo(size) + units;
        }
        times[slot] = now;
        size++;
    }

    @Override
    public void insert(long time, long units) {
        if (units <= 0 || newest() <= time) {
            add(time, units);
            return;
        }
        makeRoom(units);
        int position = firstLater(time);
        boolean merged = sums != null && position > 0 && time(position - 1) == time;
        if (!merged) {
            size++;
            for (int i = size - 1; i > position; i--) {
                copyEntry(i - 1, i);
            }
            times[slot(position)] = time;
            if (sums != null) {
                sums[slot(position)] = base + unitsTo(position);
            }
        }
        addToSums(merged ? position - 1 : position, units);
    }

    /** Removes units of one time; returns false if there are fewer. */
    boolean remove(long time, long units) {
        int from = firstLater(time - 1);
        int to = firstLater(time);
        long found = unitsTo(to) - unitsTo(from);
        if (found < units) {
            return false;
        }
        int removed = sums == null ? (int) units : found == units ? to - from : 0;
        addToSums(to - 1, -units);
        for (int i = to; i < size; i++) {
            copyEntry(i, i - removed);
        }
        size -= removed;
        return true;
    }

    /** Ensures that an entry with this number of units can be added. */
    private void makeRoom(long units) {
        if (size == 0) {
            sums = null;
            base = 0;
            head = 0;
        }
        if (size == times.length) {
            resize(2 * size);
        } else if (times.length > SMALL_CAPACITY && 8 * size <= times.length) {
            resize(Math.max(MIN_CAPACITY, 4 * Integer.highestOneBit(size)));
        }
        if (units > 1 && sums == null) {
            keepSums();
        }
    }

    private void resize(int capacity) {
        times = resized(times, capacity);
        sums = sums == null ? null : resized(sums, capacity);
        head = 0;
    }

    private long[] resized(long[] ring, int capacity) {
        var resized = new long[capacity];
        int first = Math.min(size, ring.length - head);
        System.arraycopy(ring, head, resized, 0, first);
        System.arraycopy(ring, 0, resized, first, size - first);
        return resized;
    }

    /** Changes a log of single units into one of entries with any number of them. */
    private void keepSums() {
        sums = new long[times.length];
        int kept = 0;
        for (int i = 0; i < size; i++) {
            long time = time(i);
            if (kept == 0 || time(kept - 1) != time) {
                times[slot(kept++)] = time;
            }
            sums[slot(kept - 1)] = i + 1L;
        }
        size = kept;
    }

    private void copyEntry(int from, int to) {
        times[slot(to)] = times[slot(from)];
        if (sums != null) {
            sums[slot(to)] = sums[slot(from)];
        }
    }

    /** Adds units to an entry: to the sums of it and of all later ones. */
    private void addToSums(int entry, long units) {
        for (int i = entry; sums != null && i < size; i++) {
            sums[slot(i)] += units;
        }
    }

    @Override
    public int weight() {
        return sums == null ? times.length : 2 * times.length;
    }

    @Override
    public void copyTo(SlidingWindow other, long now) {
        int to;
        for (int from = 0; from < size; from = to) {
            to = other instanceof SlidingWindowCounter counter
                    ? firstLater(counter.startOf(counter.bucketOf(time(from)) + 1) - 1)
                    : firstLater(time(from));
            other.insert(time(from), unitsTo(to) - unitsTo(from));
        }
    }

    @Override
    public SlidingLog since(long time) {
        var copy = new SlidingLog(span);
        for (int i = firstLater(time - 1); i < size; i++) {
            copy.add(time(i), unitsTo(i + 1) - unitsTo(i));
        }
        return copy;
    }

    /** Returns a copy without the units of the other log (multiset difference by time). */
    SlidingLog without(SlidingWindow other) {
        if (!(other instanceof SlidingLog less)) {
            return this;
        }
        var rest = new SlidingLog(span);
        int to;
        for (int from = 0; from < size; from = to) {
            long time = time(from);
            to = firstLater(time);
            long removed = less.unitsTo(less.firstLater(time)) - less.unitsTo(less.firstLater(time - 1));
            rest.add(time, unitsTo(to) - unitsTo(from) - removed);
        }
        return rest;
    }

    @Override
    public void appendTo(StringBuilder text) {
        int to;
        for (int from = 0; from < size; from = to) {
            to = firstLater(time(from));
            text.append(from == 0 ? "" : ",").append(time(from)).append(':').append(unitsTo(to) - unitsTo(from));
        }
    }

    /** Returns the number of entries that are not later than a time. */
    private int firstLater(long time) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (time(middle) <= time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns the number of units in this many entries, oldest first. */
    private long unitsTo(int entries) {
        return entries == 0 || sums == null ? entries : sums[slot(entries - 1)] - base;
    }

    private int slot(int index) {
        return head + index & times.length - 1;
    }

    private long time(int index) {
        return times[slot(index)];
    }
}
