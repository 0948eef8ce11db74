package dev.sluice.service.log;

/** Bounds the lines about refused calls in a period, and counts those that were suppressed. Thread-safe. */
final class RefusedLines {

    private final int max;
    private final long periodNanos;
    private long periodStart;
    private int lines;
    private long suppressed;

    RefusedLines(int max, long periodNanos) {
        this.max = max;
        this.periodNanos = periodNanos;
    }

    /**
     * Returns the number of suppressed lines that the next line must report; -1 if it is to be suppressed itself.
     *
     * @param authorized whether the line is about a call that was not refused, which is never suppressed
     * @param nanos as {@link System#nanoTime}
     */
    synchronized long takeSuppressed(boolean authorized, long nanos) {
        if (!authorized) {
            if (lines == 0 || nanos - periodStart >= periodNanos) {
                periodStart = nanos;
                lines = 0;
            }
            if (lines == max) {
                suppressed++;
                return -1;
            }
            lines++;
        }
        long missing = suppressed;
        suppressed = 0;
        return missing;
    }
}
