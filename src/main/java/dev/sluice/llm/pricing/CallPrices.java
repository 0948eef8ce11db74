package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.Map;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Prices of a model's calls beside those of tokens, and how many tokens a call can have.
 *
 * @param fees US dollars per 1,000 of what the provider's tools are billed by; in a price list, those that differ from
 * {@link ToolFees}
 * @param factors what the prices of tokens are multiplied by: {@code fast} in Anthropic's fast mode, {@code us} if the call must be
 * processed there
 * @param units prices of what is billed instead of tokens
 * @param maxInput maximum of input tokens; 0 if it is not known
 * @param maxOutput maximum of output tokens of a choice; 0 if it is not known
 */
record CallPrices(Map<UsageKind, BigDecimal> fees, Map<String, BigDecimal> factors, UnitPrices units, long maxInput,
        long maxOutput) {

    static final String FAST = "fast";
    /** Nothing has a fee. */
    static final CallPrices FREE = new CallPrices(Map.of(), Map.of(), UnitPrices.NONE);

    /** Creates prices of a model whose maxima are not known. */
    CallPrices(Map<UsageKind, BigDecimal> fees, Map<String, BigDecimal> factors, UnitPrices units) {
        this(fees, factors, units, 0, 0);
    }

    /** Returns the usual prices of a provider. */
    static CallPrices usual(Provider provider, UnitPrices units) {
        return new CallPrices(Map.of(), Map.of(), units).withUsualFees(provider);
    }

    /** Returns the same with the provider's fees where there are no others. */
    CallPrices withUsualFees(Provider provider) {
        var all = new EnumMap<UsageKind, BigDecimal>(UsageKind.class);
        all.putAll(ToolFees.of(provider));
        all.putAll(fees);
        return new CallPrices(all, factors, units, maxInput, maxOutput);
    }

    /** Returns the same without the maxima. */
    CallPrices withoutMaxima() {
        return new CallPrices(fees, factors, units);
    }

    /** Returns the higher one of each price and maximum. */
    CallPrices orDearer(CallPrices other) {
        return new CallPrices(ToolFees.max(fees, other.fees), ToolFees.max(factors, other.factors),
                units.orDearer(other.units), Math.max(maxInput, other.maxInput), Math.max(maxOutput, other.maxOutput));
    }
}
