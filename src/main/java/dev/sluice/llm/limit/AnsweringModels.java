package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.Money;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;

/** Models that may answer a call or work for its tools: the requested one and those that the request names beside it. */
final class AnsweringModels {

    /** Maxima of a model of which they are not known. */
    private static final long UNKNOWN_INPUT = 200_000;
    private static final long UNKNOWN_OUTPUT = 128_000;

    private final LlmCallEstimate call;
    /** Null for a model without a price; the requested one is the first. */
    private final List<ModelPrice> prices = new ArrayList<>(1);

    /** @param prices returns the price of a model; null if it has none */
    AnsweringModels(LlmCallEstimate call, BiFunction<Provider, String, ModelPrice> prices) {
        this.call = call;
        this.prices.add(prices.apply(call.provider(), call.model()));
        for (var model : call.furtherModels()) {
            this.prices.add(model.isEmpty() ? null : prices.apply(call.provider(), model));
        }
    }

    /** Returns the price of the requested model for an estimated usage; null if it has none. */
    ModelPrice requestedPrice(TokenUsage usage) {
        return covering(prices.get(0), usage);
    }

    /** Returns whether the calls of each model have a price. */
    boolean arePriced(TokenUsage usage) {
        for (var price : prices) {
            if (covering(price, usage) == null) {
                return false;
            }
        }
        return true;
    }

    private ModelPrice covering(ModelPrice price, TokenUsage usage) {
        return price != null && price.covers(usage, call.details()) ? price : null;
    }

    /** Returns whether each model may be called, and none of the further ones has other rules than the requested one. */
    boolean areAllowed(LlmPolicySnapshot policy, String tier) {
        if (!call.model().isEmpty() && !policy.allows(call.provider(), call.model())) {
            return false;
        }
        for (var model : call.furtherModels()) {
            if (!policy.allows(call.provider(), model) || !hasSameRules(policy, tier, model)) {
                return false;
            }
        }
        return true;
    }

    private boolean hasSameRules(LlmPolicySnapshot policy, String tier, String model) {
        return policy.rules(call.provider(), tier, model).equals(policy.rules(call.provider(), tier, call.model()));
    }

    /** Returns the most output tokens of a choice; {@link TokenUsage#MAX} if it is not known of each model. */
    long maxOutput() {
        long max = 0;
        for (var price : prices) {
            max = Math.max(max, price == null || price.maxOutput() == 0 ? TokenUsage.MAX : price.maxOutput());
        }
        return max;
    }

    /** Returns the output tokens of a choice without a limit. */
    long unlimitedOutput() {
        return maxOutput() == TokenUsage.MAX ? UNKNOWN_OUTPUT : maxOutput();
    }

    /** Returns the most input tokens of the call: if a part of the input is elsewhere, all that the models can read. */
    long maxInput() {
        long max = call.inputTokens();
        for (var price : prices) {
            if (call.inputElsewhere() && price != null) {
                max = Math.max(max, price.maxInput() == 0 ? UNKNOWN_INPUT : price.maxInput());
            }
        }
        return max;
    }

    /** Returns the estimated cost of the dearest model, in 10⁻⁹ US dollars; 0 if none has a price. */
    long costNanodollars(TokenUsage usage) {
        long max = 0;
        for (var price : prices) {
            if (covering(price, usage) != null) {
                max = Math.max(max, Money.nanodollars(picodollars(price, usage, call.details())));
            }
        }
        return max;
    }

    /**
     * Returns the estimated cost in picodollars. If the split into input and output is not known, all tokens are priced at
     * the higher of the two prices.
     */
    private static long picodollars(ModelPrice price, TokenUsage usage, UsageDetails details) {
        long cost = price.picodollars(usage, details);
        return usage.input() > 0
                ? cost
                : Math.max(cost, price.picodollars(TokenUsage.of(usage.output(), 0), details));
    }
}
