package dev.sluice.api;

/** Unit of a quota. */
public enum QuotaUnit {

    /** Requests, calls or other discrete events. */
    REQUESTS(1_000_000_000),
    /** Tokens of a language model. Counted in sub-windows (sliding window counter), whatever the limit. */
    TOKENS(1_000_000_000),
    /** Money, in billionths of a US dollar. Counted in sub-windows (sliding window counter), whatever the limit. */
    NANODOLLARS(9_000_000L * 1_000_000_000);

    private final long maxLimit;

    QuotaUnit(long maxLimit) {
        this.maxLimit = maxLimit;
    }

    /** Returns the maximum limit of a quota, in this unit. */
    public long maxLimit() {
        return maxLimit;
    }
}
