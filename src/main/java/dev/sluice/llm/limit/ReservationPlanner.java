package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.Money;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;

/**
 * Plans what a call reserves. Output beyond {@code max-reserved-output} is not reserved but charged when the call ends, so that a
 * caller is not refused for a maximum that its calls do not reach. Of a budget, only one call at a time may reserve less than it
 * may cost ({@link UnderReservedCalls}). Thread-safe and non-blocking.
 */
final class ReservationPlanner {

    /** Input of a call with a part elsewhere, of a model whose maximum is not known. */
    private static final long UNKNOWN_INPUT = 200_000;

    private final Supplier<LlmPolicySnapshot> policy;
    private final BiFunction<Provider, String, ModelPrice> prices;
    private final OutputEstimates outputEstimates;
    private final boolean denyUnpriced;
    private final UnderReservedCalls underReserved;

    /** @param prices returns the price of a model; null if it has none */
    ReservationPlanner(Supplier<LlmPolicySnapshot> policy, BiFunction<Provider, String, ModelPrice> prices,
            OutputEstimates outputEstimates, boolean denyUnpriced, LongSupplier nanoTime) {
        this.policy = policy;
        this.prices = prices;
        this.outputEstimates = outputEstimates;
        this.denyUnpriced = denyUnpriced;
        this.underReserved = new UnderReservedCalls(nanoTime);
    }

    /** @param furtherChecks returns further checks for the caller's effective tier */
    PlannedCall plan(LlmCallEstimate call, Function<String, List<ResourceCheck>> furtherChecks) {
        var snapshot = policy.get();
        var tier = snapshot.tiers().effective(call.tier());
        var listedPrice = prices.apply(call.provider(), call.model());
        var requests = snapshot.rule(call.provider(), QuotaUnit.REQUESTS, tier, call.model());
        var tokens = snapshot.rule(call.provider(), QuotaUnit.TOKENS, tier, call.model());
        var budget = snapshot.rule(call.provider(), QuotaUnit.NANODOLLARS, tier, call.model());
        boolean hasBudget = budget.rate(tier) != Rate.UNLIMITED;
        boolean limited = tokens.rate(tier) != Rate.UNLIMITED || hasBudget;
        var models = pricesOfModels(call, listedPrice);
        long maximum = models.stream().mapToLong(ReservationPlanner::maxOutput).max().orElse(TokenUsage.MAX) * call.choices();
        long unknownOutput = snapshot.outputEstimate(call.provider(), call.model());
        var uncapped = limited && call.maxOutputTokens() < 0 && !call.background()
                ? outputEstimates.begin(call, snapshot.minimumOutputEstimate(call.provider(), call.model()),
                        unknownOutput)
                : null;
        Runnable endUnderReserved = PlannedCall.NOT_UNDER_RESERVED;
        try {
            long output = call.maxOutputTokens() >= 0
                    ? call.whole() ? call.maxOutputTokens() : Math.min(call.maxOutputTokens(), maximum)
                    : uncapped == null ? outputWithoutCap(call, unknownOutput, maximum) : uncapped.estimatedTokens();
            boolean whole = call.background() || call.whole() && call.maxOutputTokens() >= 0;
            long reserved = whole
                    ? output
                    : Math.min(output, snapshot.maxReservedOutput(call.provider(), call.model()) * call.choices());
            var usage = usage(call.inputTokens(), reserved);
            var price = listedPrice != null && listedPrice.covers(usage, call.details()) ? listedPrice : null;
            boolean unpriced = denyUnpriced && hasBudget && (price == null || models.contains(null));
            var costly = usage;
            if (hasBudget && price != null && (call.inputElsewhere() || usage.output() < Math.min(output, TokenUsage.MAX))) {
                var begun = underReserved.begin(call.identifier(), budget.resource());
                endUnderReserved = begun == null ? PlannedCall.NOT_UNDER_RESERVED : begun;
                costly = begun == null ? usage(inputAnywhere(call, price), output) : usage;
            }
            long costNanodollars = 0;
            for (var model : price == null ? List.<ModelPrice>of() : models) {
                if (model != null && model.covers(costly, call.details())) {
                    costNanodollars = Math.max(costNanodollars,
                            Money.nanodollars(estimateCost(model, costly, call.details())));
                }
            }
            var checks = new ArrayList<ResourceCheck>(4);
            checks.add(call.model().isEmpty() || snapshot.allows(call.provider(), call.model())
                    ? requests.check(tier, 1)
                    : new ResourceCheck(requests.resource(), Rate.BLOCKED, 1));
            checks.add(tokens.reservationCheck(tier, usage.total()));
            checks.add(unpriced
                    ? new ResourceCheck(budget.resource(), Rate.BLOCKED, 1)
                    : budget.reservationCheck(tier, costNanodollars));
            checks.addAll(furtherChecks.apply(tier));
            return new PlannedCall(call, price, usage, costNanodollars,
                    new RateLimitRequest(call.identifier(), tier, requests.resource(), checks), tokens.resource(),
                    budget.resource(), unpriced, uncapped, endUnderReserved);
        } catch (RuntimeException | Error e) {
            if (uncapped != null) {
                uncapped.cancel();
            }
            endUnderReserved.run();
            throw e;
        }
    }

    /** Returns the prices of all models that may answer a call, the requested one first; null for one without a price. */
    private List<ModelPrice> pricesOfModels(LlmCallEstimate call, ModelPrice requested) {
        if (call.furtherModels().isEmpty()) {
            return Collections.singletonList(requested);
        }
        var models = new ArrayList<ModelPrice>();
        models.add(requested);
        call.furtherModels().forEach(model -> models.add(model.isEmpty() ? null : prices.apply(call.provider(), model)));
        return models;
    }

    private static long maxOutput(ModelPrice price) {
        return price == null || price.maxOutput() == 0 ? TokenUsage.MAX : price.maxOutput();
    }

    /** Returns the output of a call without a cap: in the background all that the model can, if that is known. */
    private static long outputWithoutCap(LlmCallEstimate call, long typical, long maximum) {
        return call.background() && maximum < TokenUsage.MAX ? maximum : typical * call.choices();
    }

    /** Returns the input of a call: if a part of it is elsewhere, all that the model can read. */
    private static long inputAnywhere(LlmCallEstimate call, ModelPrice price) {
        return call.inputElsewhere()
                ? Math.max(call.inputTokens(), price.maxInput() == 0 ? UNKNOWN_INPUT : price.maxInput())
                : call.inputTokens();
    }

    private static TokenUsage usage(long input, long output) {
        return TokenUsage.of(Math.min(input, TokenUsage.MAX), Math.min(output, TokenUsage.MAX));
    }

    /**
     * Returns the estimated cost in picodollars. If the split into input and output is not known, all tokens are priced at
     * the higher of the two prices.
     */
    private static long estimateCost(ModelPrice price, TokenUsage estimatedUsage, UsageDetails details) {
        long cost = price.picodollars(estimatedUsage, details);
        return estimatedUsage.input() > 0
                ? cost
                : Math.max(cost, price.picodollars(TokenUsage.of(estimatedUsage.output(), 0), details));
    }
}
