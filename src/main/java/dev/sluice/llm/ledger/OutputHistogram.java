package dev.sluice.llm.ledger;

import java.util.Arrays;

/**
 * Histogram of the output tokens of calls, with four buckets per doubling from {@value #SMALLEST} to {@value #LARGEST} tokens.
 * Not thread-safe.
 */
public final class OutputHistogram {

    /** Number of buckets. */
    public static final int BUCKETS = 66;

    private static final int SMALLEST = 16;
    private static final int LARGEST = 1 << 20;
    private static final int BUCKETS_PER_DOUBLING = 4;
    private static final long[] UPPER_BOUNDS = upperBounds();

    /** Number of calls by bucket; null while there are none. */
    private int[] counts;

    private static long[] upperBounds() {
        var bounds = new long[BUCKETS];
        for (int i = 0; i < BUCKETS - 1; i++) {
            bounds[i] = (long) Math.floor(SMALLEST * Math.pow(2, (double) i / BUCKETS_PER_DOUBLING));
        }
        bounds[BUCKETS - 2] = LARGEST;
        bounds[BUCKETS - 1] = Long.MAX_VALUE;
        return bounds;
    }

    /**
     * Returns the bucket of a number of tokens.
     *
     * @param tokens 0 or more
     * @return 0 to {@value #BUCKETS} - 1
     */
    static int bucket(long tokens) {
        int bucket = 0;
        while (tokens > UPPER_BOUNDS[bucket]) {
            bucket++;
        }
        return bucket;
    }

    /**
     * Adds a call.
     *
     * @param tokens its output tokens, 0 or more
     */
    public void add(long tokens) {
        addToBucket(bucket(tokens), 1);
    }

    void addToBucket(int bucket, long calls) {
        if (calls > 0) {
            if (counts == null) {
                counts = new int[BUCKETS];
            }
            counts[bucket] = (int) Math.min(Integer.MAX_VALUE, counts[bucket] + calls);
        }
    }

    /**
     * Adds the calls of another histogram.
     *
     * @param other the other histogram; not changed
     */
    public void add(OutputHistogram other) {
        for (int i = 0; other.counts != null && i < BUCKETS; i++) {
            addToBucket(i, other.counts[i]);
        }
    }

    /** Removes all calls. */
    public void clear() {
        if (counts != null) {
            Arrays.fill(counts, 0);
        }
    }

    /** Returns the number of calls in a bucket. */
    long calls(int bucket) {
        return counts == null ? 0 : counts[bucket];
    }

    /** Returns the number of calls. */
    public long calls() {
        long calls = 0;
        for (int i = 0; counts != null && i < BUCKETS; i++) {
            calls += counts[i];
        }
        return calls;
    }

    /**
     * Returns a number of tokens that at least this share of the calls does not exceed: the upper bound of a bucket, up to 19
     * percent more than the exact quantile.
     *
     * @param percent 1 to 100
     * @param largest returned for calls above {@value #LARGEST} tokens
     * @return the number of tokens; 0 if there are no calls
     */
    public long quantile(int percent, long largest) {
        long rank = (calls() * percent + 99) / 100;
        long below = 0;
        for (int i = 0; below < rank; i++) {
            below += counts[i];
            if (below >= rank) {
                return Math.min(largest, UPPER_BOUNDS[i]);
            }
        }
        return 0;
    }
}
