package dev.sluice.store.memory;

import java.util.Arrays;

/** Sliding log: the time of every unit, oldest first, in a growing ring buffer. Exact. */
public final class SlidingLog implements SlidingWindow {

    private final long span;
    private long[] times = new long[4];
    private int head;
    private int size;

    SlidingLog(long span) {
        this.span = span;
    }

    @Override
    public void advance(long now) {
        long edge = now - span;
        while (size > 0 && times[head] <= edge) {
            head = head + 1 & times.length - 1;
            size--;
        }
    }

    @Override
    public long newest() {
        return size == 0 ? Long.MIN_VALUE : time(size - 1);
    }

    @Override
    public void shiftBack(long micros) {
        for (int i = 0; i < times.length; i++) {
            times[i] -= micros;
        }
    }

    @Override
    public long used() {
        return size;
    }

    @Override
    public long freeAt(long units) {
        return time((int) units - 1) + span;
    }

    @Override
    public void add(long now, long units) {
        if (size + units > times.length) {
            grow(size + units);
        }
        for (long i = 0; i < units; i++) {
            times[head + size++ & times.length - 1] = now;
        }
    }

    @Override
    public void insert(long time, long units) {
        int later = 0;
        while (later < size && time(size - 1 - later) > time) {
            later++;
        }
        add(time, units);
        for (int i = size - 1; later > 0 && i >= size - later; i--) {
            set(i, time(i - (int) units));
        }
        for (int i = 0; later > 0 && i < units; i++) {
            set(size - later - 1 - i, time);
        }
    }

    /** Removes units of one time; returns false if there are fewer. */
    boolean remove(long time, long units) {
        int last = size - 1;
        while (last >= 0 && time(last) > time) {
            last--;
        }
        if (last + 1 < units || time(last - (int) units + 1) != time) {
            return false;
        }
        for (int i = last + 1; i < size; i++) {
            set(i - (int) units, time(i));
        }
        size -= (int) units;
        return true;
    }

    private void grow(long atLeast) {
        int length = Integer.highestOneBit((int) atLeast - 1) << 1;
        var grown = Arrays.copyOfRange(times, head, head + length);
        System.arraycopy(times, 0, grown, times.length - head, head);
        times = grown;
        head = 0;
    }

    @Override
    public int weight() {
        return times.length;
    }

    @Override
    public void copyTo(SlidingWindow other, long now) {
        for (int i = 0; i < size; i++) {
            other.insert(time(i), 1);
        }
    }

    @Override
    public SlidingLog since(long time) {
        var copy = new SlidingLog(span);
        for (int i = 0; i < size; i++) {
            if (time(i) >= time) {
                copy.add(time(i), 1);
            }
        }
        return copy;
    }

    /** Returns a copy without the units of the other log (multiset difference by time). */
    SlidingLog without(SlidingWindow other) {
        if (!(other instanceof SlidingLog less)) {
            return this;
        }
        var rest = new SlidingLog(span);
        int j = 0;
        for (int i = 0; i < size; i++) {
            while (j < less.size && less.time(j) < time(i)) {
                j++;
            }
            if (j < less.size && less.time(j) == time(i)) {
                j++;
            } else {
                rest.add(time(i), 1);
            }
        }
        return rest;
    }

    @Override
    public void appendTo(StringBuilder text) {
        for (int i = 0, count; i < size; i += count) {
            count = 1;
            while (i + count < size && time(i + count) == time(i)) {
                count++;
            }
            text.append(i == 0 ? "" : ",").append(time(i)).append(':').append(count);
        }
    }

    private void set(int index, long time) {
        times[head + index & times.length - 1] = time;
    }

    private long time(int index) {
        return times[head + index & times.length - 1];
    }
}
