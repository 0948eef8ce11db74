package dev.sluice.llm.limit;

import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.Money;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Amounts that are booked for a call that has ended.
 *
 * @param usage the tokens
 * @param price price of the tokens; null if the model has none
 * @param cost the cost; {@link CostParts#unpriced unpriced} if the model has no price
 * @param estimated whether usage or cost are estimates, as opposed to what the provider has reported
 */
record Bill(TokenUsage usage, ModelPrice price, CostParts cost, boolean estimated) {

    /** Returns the cost in 10⁻⁹ US dollars, as budgets count it; 0 if the model has no price. */
    long nanodollars() {
        return price == null ? 0 : Money.nanodollars(cost.picodollars());
    }
}
