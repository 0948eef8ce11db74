package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.Map;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Prices of a model's calls beside those of tokens.
 *
 * @param fees US dollars per 1,000 of what the provider's tools are billed by; in a price list, those that differ from
 * {@link ToolFees}
 * @param factors what the prices of tokens are multiplied by: {@code fast} in Anthropic's fast mode, {@code us} if the call must be
 * processed there
 * @param units prices of what is billed instead of tokens
 */
record CallPrices(Map<UsageKind, BigDecimal> fees, Map<String, BigDecimal> factors, UnitPrices units) {

    static final String FAST = "fast";
    /** Nothing has a fee. */
    static final CallPrices FREE = new CallPrices(Map.of(), Map.of(), UnitPrices.NONE);

    /** Returns the usual prices of a provider. */
    static CallPrices usual(Provider provider, UnitPrices units) {
        return new CallPrices(Map.of(), Map.of(), units).withUsualFees(provider);
    }

    /** Returns the same with the provider's fees where there are no others. */
    CallPrices withUsualFees(Provider provider) {
        var all = new EnumMap<UsageKind, BigDecimal>(UsageKind.class);
        all.putAll(ToolFees.of(provider));
        all.putAll(fees);
        return new CallPrices(all, factors, units);
    }

    /** Returns the higher one of each price. */
    CallPrices orDearer(CallPrices other) {
        return new CallPrices(ToolFees.max(fees, other.fees), ToolFees.max(factors, other.factors),
                units.orDearer(other.units));
    }
}
