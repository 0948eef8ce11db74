package dev.sluice.window;

import java.util.Arrays;

/** Exact: the time of every unit, oldest first, in a circle that grows. */
final class LogWindow implements Window {

    private final long span;
    private long[] times = new long[4];
    private int head;
    private int size;

    LogWindow(long span) {
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
    public void shift(long micros) {
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
    public void pourInto(Window other, long now) {
        for (int i = 0; i < size; i++) {
            other.add(time(i), 1);
        }
    }

    private long time(int index) {
        return times[head + index & times.length - 1];
    }
}
