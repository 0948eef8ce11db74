package dev.sluice.llm.ledger;

import java.math.BigInteger;

import dev.sluice.llm.pricing.Money;

/**
 * A sum over calls.
 *
 * @param calls calls that were answered
 * @param input tokens: all input, cached reads and cache writes included
 * @param cachedInput tokens read from the provider's cache
 * @param cacheWrite tokens written to the provider's cache
 * @param output tokens: all output, reasoning included
 * @param picodollars what they cost, in 10⁻¹² US dollars
 * @param unpriced of the calls, those of models without a price: their tokens count, their cost is not known
 * @param estimated of the calls, those whose usage nobody has reported
 */
public record UsageTotals(long calls, long input, long cachedInput, long cacheWrite, long output, BigInteger picodollars,
        long unpriced,
        long estimated) {

    public static final UsageTotals NONE = new UsageTotals(0, 0, 0, 0, 0, BigInteger.ZERO, 0, 0);

    static UsageTotals of(Ledger.Entry entry) {
        var usage = entry.usage();
        boolean priced = entry.picodollars() >= 0;
        return new UsageTotals(1, usage.input(), usage.cachedInput(), usage.cacheWrite(), usage.output(),
                priced ? BigInteger.valueOf(entry.picodollars()) : BigInteger.ZERO, priced ? 0 : 1, entry.estimated() ? 1 : 0);
    }

    public UsageTotals plus(UsageTotals other) {
        return new UsageTotals(calls + other.calls, input + other.input, cachedInput + other.cachedInput,
                cacheWrite + other.cacheWrite, output + other.output, picodollars.add(other.picodollars),
                unpriced + other.unpriced, estimated + other.estimated);
    }

    /** The cost in US dollars, with as many digits as are exact: {@code 0.012345}. */
    public String dollars() {
        return Money.dollars(picodollars);
    }
}
