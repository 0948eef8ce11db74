package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;

import com.fasterxml.jackson.annotation.JsonValue;

import dev.sluice.llm.pricing.CostParts.Group;
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
 * @param parts the parts of the usage, as far as they are known
 */
@RegisterForReflection
public record UsageTotals(long calls, long input, long cachedInput, long cacheWrite, long output, BigInteger picodollars,
        long unpriced, long estimated, UsageParts parts) {

    /** No usage. */
    public static final UsageTotals NONE = new UsageTotals(0, 0, 0, 0, 0, BigInteger.ZERO, 0, 0);

    /** Creates a sum of calls of which no parts are known. */
    UsageTotals(long calls, long input, long cachedInput, long cacheWrite, long output, BigInteger picodollars, long unpriced,
            long estimated) {
        this(calls, input, cachedInput, cacheWrite, output, picodollars, unpriced, estimated, UsageParts.NONE);
    }

    static UsageTotals of(LedgerEntry entry) {
        var usage = entry.usage();
        boolean priced = entry.picodollars() >= 0;
        return new UsageTotals(1, usage.input(), usage.cachedInput(), usage.cacheWrite(), usage.output(),
                priced ? BigInteger.valueOf(entry.picodollars()) : BigInteger.ZERO, priced ? 0 : 1, entry.estimated() ? 1 : 0,
                UsageParts.of(entry.parts()));
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
                unpriced + other.unpriced, estimated + other.estimated, parts.plus(other.parts));
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
     * Returns the cost that the providers themselves report, in US dollars.
     *
     * @return a decimal without superfluous digits; null if none is reported
     */
    public String reportedDollars() {
        return parts.reportedPicodollars() == 0 ? null : Money.dollars(parts.reportedPicodollars());
    }

    /**
     * Returns the usage by kind. The tokens of all kinds of input sum to the input, those of output to the output, and the costs of
     * all kinds exactly to the cost.
     *
     * @return the kinds of which there is some usage, sorted by name; {@code other} is the cost of which no parts are known
     */
    public SortedMap<String, UsageParts.Detail> details() {
        return parts.details(Map.of(Group.INPUT, input - cachedInput - cacheWrite, Group.CACHED_INPUT, cachedInput,
                Group.CACHE_WRITE, cacheWrite, Group.OUTPUT, output), picodollars);
    }

    /**
     * Returns the JSON form, with the field names of the HTTP API. Jackson uses it.
     *
     * @return {@code calls}, {@code input_tokens}, {@code output_tokens}, {@code cached_input_tokens},
     *         {@code cache_write_input_tokens}, {@code cost_usd} (a string: exact), {@code reported_cost_usd} (if a provider reports its own), {@code unpriced_calls},
     *         {@code estimated_calls}, {@code details} (by kind: {@code tokens} or {@code count}, and {@code cost_usd})
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
        if (reportedDollars() != null) {
            fields.put("reported_cost_usd", reportedDollars());
        }
        fields.put("unpriced_calls", unpriced);
        fields.put("estimated_calls", estimated);
        var byKind = new LinkedHashMap<String, Object>();
        details().forEach((kind, detail) -> byKind.put(kind, detail.toMap()));
        fields.put("details", byKind);
        return fields;
    }
}
