package dev.sluice.llm.limit;

import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;

/**
 * Usage that was estimated and reserved for a call when it was admitted.
 *
 * @param provider the provider that is called
 * @param model the model as requested; empty if it is not known
 * @param price price of that model; null if it has none
 * @param usage the tokens
 * @param details what else determines the cost
 */
record ReservedUsage(Provider provider, String model, ModelPrice price, TokenUsage usage, UsageDetails details) {

    /** Returns whether a response by another model is billed at that model's price. */
    boolean isBilledAs(String responseModel) {
        return responseModel != null && !responseModel.equals(model) && (price == null || !price.isConfigured());
    }
}
