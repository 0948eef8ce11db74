package dev.sluice.store.memory;

/**
 * Sliding window counter for large limits: counts per sub-window of a sixtieth. A sub-window counts in full until its last
 * microsecond has left the window, so the limit is never exceeded, and units are freed at most a sixtieth of a window late.
 */
final class SlidingWindowCounter implements SlidingWindow {

    static final int PARTS = 60;
    private static final int MIN_CAPACITY = 4;

    private final long span;
    private final long width;
    /** Ascending. The arrays grow with the number of sub-windows in use. */
    private long[] buckets = new long[MIN_CAPACITY];
    private long[] counts = new long[MIN_CAPACITY];
    private int head;
    private int size;
    private long used;

    SlidingWindowCounter(long span) {
        this.span = span;
        this.width = span / PARTS;
    }

    @Override
    public void advance(long now) {
        while (size > 0 && leavesAt(buckets[head]) <= now) {
            used -= counts[head];
            head = slot(1);
            size--;
        }
    }

    @Override
    public long newest() {
        return size == 0 ? Long.MIN_VALUE : buckets[last()] * width;
    }

    @Override
    public void shiftBack(long micros, long earliest) {
        long by = (micros + width - 1) / width;
        int kept = 0;
        for (int i = 0; i < size; i++) {
            long bucket = earliest == Long.MIN_VALUE
                    ? buckets[slot(i)] - by
                    : Math.max(buckets[slot(i)] - by, bucketOf(earliest));
            long count = counts[slot(i)];
            if (kept > 0 && buckets[slot(kept - 1)] == bucket) {
                counts[slot(kept - 1)] += count;
            } else {
                buckets[slot(kept)] = bucket;
                counts[slot(kept)] = count;
                kept++;
            }
        }
        size = kept;
    }

    @Override
    public long used() {
        return used;
    }

    @Override
    public long freeAt(long units) {
        long sum = 0;
        for (int i = 0;; i++) {
            int slot = slot(i);
            sum += counts[slot];
            if (sum >= units) {
                return leavesAt(buckets[slot]);
            }
        }
    }

    @Override
    public void add(long now, long units) {
        long bucket = bucketOf(now);
        if (size == 0 || buckets[last()] < bucket) {
            if (size == buckets.length) {
                grow();
            }
            size++;
            buckets[last()] = bucket;
            counts[last()] = 0;
        }
        counts[last()] += units;
        used += units;
    }

    @Override
    public void insert(long time, long units) {
        long bucket = bucketOf(time);
        int i = size;
        while (i > 0 && buckets[slot(i - 1)] >= bucket) {
            i--;
        }
        if (i == size) {
            add(time, units);
        } else {
            counts[slot(i)] += units; // if its own sub-window is missing, the next one holds it slightly longer
            used += units;
        }
    }

    @Override
    public SlidingWindow since(long time) {
        var copy = new SlidingWindowCounter(span);
        for (int i = 0; i < size; i++) {
            int slot = slot(i);
            if (buckets[slot] >= bucketOf(time)) {
                copy.add(buckets[slot] * width, counts[slot]);
            }
        }
        return copy;
    }

    @Override
    public void appendTo(StringBuilder text) {
        for (int i = 0; i < size; i++) {
            int slot = slot(i);
            text.append(i == 0 ? "" : ",").append(buckets[slot]).append(':').append(counts[slot]);
        }
    }

    /** Returns the number of the sub-window of a time. */
    long bucketOf(long now) {
        return Math.floorDiv(now, width);
    }

    /** Returns the start of a sub-window. */
    long startOf(long bucket) {
        return bucket * width;
    }

    /** Returns whether a sub-window has left the window. */
    boolean hasLeft(long bucket, long now) {
        return leavesAt(bucket) <= now;
    }

    /** Adds units to an existing sub-window, or subtracts them, but not below 0. */
    void correct(long bucket, long units) {
        for (int i = 0; i < size; i++) {
            int slot = slot(i);
            if (buckets[slot] == bucket) {
                long change = Math.max(units, -counts[slot]);
                counts[slot] += change;
                used += change;
            }
        }
    }

    @Override
    public int weight() {
        return 2 * buckets.length;
    }

    @Override
    public void copyTo(SlidingWindow other, long now) {
        for (int i = 0; i < size; i++) {
            int slot = slot(i);
            other.insert(Math.min((buckets[slot] + 1) * width - 1, now), counts[slot]);
        }
    }

    private void grow() {
        var ring = buckets;
        var units = counts;
        buckets = new long[2 * size];
        counts = new long[2 * size];
        for (int i = 0; i < size; i++) {
            buckets[i] = ring[(head + i) % size];
            counts[i] = units[(head + i) % size];
        }
        head = 0;
    }

    private int last() {
        return slot(size - 1);
    }

    private int slot(int index) {
        return head + index & buckets.length - 1;
    }

    private long leavesAt(long bucket) {
        return (bucket + 1) * width - 1 + span;
    }
}
