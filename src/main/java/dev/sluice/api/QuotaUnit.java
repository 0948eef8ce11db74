package dev.sluice.api;

/** Unit of a quota. */
public enum QuotaUnit {

    /** Requests, calls, or whatever else is counted one by one. */
    REQUESTS(1_000_000_000),
    /** Tokens of a language model. Kept in sub-windows, whatever the limit. */
    TOKENS(1_000_000_000),
    /** Money, in billionths of a US dollar. Kept in sub-windows, whatever the limit. */
    NANODOLLARS(9_000_000L * 1_000_000_000);

    private final long maxLimit;

    QuotaUnit(long max) {
        this.maxLimit = max;
    }

    /** The largest limit, in units. */
    public long maxLimit() {
        return maxLimit;
    }
}
