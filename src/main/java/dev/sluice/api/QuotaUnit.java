package dev.sluice.api;

import java.math.BigDecimal;
import java.util.Locale;

/** Unit of a quota. */
public enum QuotaUnit {

    /** Requests, calls or other discrete events. */
    REQUESTS(1_000_000_000),
    /** Tokens of a language model. Counted in sub-windows (sliding window counter), whatever the limit. */
    TOKENS(1_000_000_000),
    /** Money, in billionths of a US dollar. Counted in sub-windows (sliding window counter), whatever the limit. */
    NANODOLLARS(9_000_000L * 1_000_000_000),
    /** Requests in flight: a unit is a slot that is held until the request ends. Such a quota has no window. */
    CONCURRENT_REQUESTS(1_000_000);

    private final long maxLimit;

    QuotaUnit(long maxLimit) {
        this.maxLimit = maxLimit;
    }

    /** Returns the name of the unit in JSON: {@code requests}, {@code tokens}, {@code usd} or {@code concurrent_requests}. */
    public String jsonName() {
        return this == NANODOLLARS ? "usd" : name().toLowerCase(Locale.ROOT);
    }

    /**
     * Converts an amount for JSON.
     *
     * @param units amount in this unit
     * @return US dollars if the unit is {@link #NANODOLLARS}, otherwise the amount as it is
     */
    public Number jsonAmount(long units) {
        if (this == NANODOLLARS) {
            var dollars = BigDecimal.valueOf(units, 9).stripTrailingZeros();
            return dollars.scale() < 0 ? dollars.setScale(0) : dollars;
        }
        return units;
    }

    /** Returns the maximum limit of a quota, in this unit. */
    public long maxLimit() {
        return maxLimit;
    }
}
