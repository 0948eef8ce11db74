package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;

import com.fasterxml.jackson.annotation.JsonValue;

import dev.sluice.llm.pricing.Money;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * Sum of the usage of several calls.
 *
 * @param calls number of successful calls
 * @param input all input tokens, including cache reads and cache writes
 * @param cachedInput input tokens read from the provider's cache
 * @param cacheWrite input tokens written to the provider's cache
 * @param output all output tokens, reasoning included
 * @param picodollars the cost in 10⁻¹² US dollars
 * @param unpriced number of calls of models without a price: their tokens are included, their cost is unknown
 * @param estimated number of calls whose usage is estimated
 */
@RegisterForReflection
public record UsageTotals(long calls, long input, long cachedInput, long cacheWrite, long output, BigInteger picodollars,
        long unpriced,
        long estimated) {

    /** No usage. */
    public static final UsageTotals NONE = new UsageTotals(0, 0, 0, 0, 0, BigInteger.ZERO, 0, 0);

    static UsageTotals of(LedgerEntry entry) {
        var usage = entry.usage();
        boolean priced = entry.picodollars() >= 0;
        return new UsageTotals(1, usage.input(), usage.cachedInput(), usage.cacheWrite(), usage.output(),
                priced ? BigInteger.valueOf(entry.picodollars()) : BigInteger.ZERO, priced ? 0 : 1, entry.estimated() ? 1 : 0);
    }

    /**
     * Adds another sum.
     *
     * @param other the other sum
     * @return the sum of both
     */
    public UsageTotals plus(UsageTotals other) {
        return new UsageTotals(calls + other.calls, input + other.input, cachedInput + other.cachedInput,
                cacheWrite + other.cacheWrite, output + other.output, picodollars.add(other.picodollars),
                unpriced + other.unpriced, estimated + other.estimated);
    }

    /**
     * Returns the exact cost in US dollars.
     *
     * @return a decimal without superfluous digits: {@code 0.012345}
     */
    public String dollars() {
        return Money.dollars(picodollars);
    }

    /**
     * Returns the JSON form, with the field names of the HTTP API. Jackson uses it.
     *
     * @return {@code calls}, {@code input_tokens}, {@code output_tokens}, {@code cached_input_tokens},
     *         {@code cache_write_input_tokens}, {@code cost_usd} (a string: exact), {@code unpriced_calls},
     *         {@code estimated_calls}
     */
    @JsonValue
    public Map<String, Object> toMap() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("calls", calls);
        fields.put("input_tokens", input);
        fields.put("output_tokens", output);
        fields.put("cached_input_tokens", cachedInput);
        fields.put("cache_write_input_tokens", cacheWrite);
        fields.put("cost_usd", dollars());
        fields.put("unpriced_calls", unpriced);
        fields.put("estimated_calls", estimated);
        return fields;
    }
}
