package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Plans what a call reserves. Output beyond {@code max-reserved-output} is not reserved but charged when the call ends, so that a
 * caller is not refused for a maximum that its calls do not reach. Of a budget, only one call at a time may reserve less than it
 * may cost ({@link UnderReservedCalls}). Thread-safe and non-blocking.
 */
final class ReservationPlanner {

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
        var models = new AnsweringModels(call, prices);
        var requests = snapshot.rule(call.provider(), QuotaUnit.REQUESTS, tier, call.model());
        var tokens = snapshot.rule(call.provider(), QuotaUnit.TOKENS, tier, call.model());
        var budget = snapshot.rule(call.provider(), QuotaUnit.NANODOLLARS, tier, call.model());
        var levels = new LevelLimits(snapshot, call);
        boolean hasBudget = budget.rate(tier) != Rate.UNLIMITED || levels.hasBudget();
        boolean limited = tokens.rate(tier) != Rate.UNLIMITED || levels.hasTokens() || hasBudget;
        long unknownOutput = snapshot.outputEstimate(call.provider(), call.model());
        var uncapped = limited && call.maxOutputTokens() < 0 && !call.background()
                ? outputEstimates.begin(call, snapshot.minimumOutputEstimate(call.provider(), call.model()),
                        unknownOutput)
                : null;
        Runnable endUnderReserved = PlannedCall.NOT_UNDER_RESERVED;
        try {
            long output = uncapped == null ? output(call, models, unknownOutput) : uncapped.estimatedTokens();
            boolean whole = call.background() || call.whole() && call.maxOutputTokens() >= 0;
            long reserved = whole
                    ? output
                    : Math.min(output, Math.min(models.maxOutput(), snapshot.maxReservedOutput(call.provider(), call.model()))
                            * call.choices());
            var usage = usage(call.inputTokens(), reserved);
            var price = models.requestedPrice(usage);
            boolean unpriced = denyUnpriced && hasBudget && !models.arePriced(usage);
            var costly = usage;
            if (hasBudget && price != null && (call.inputElsewhere() || usage.output() < Math.min(output, TokenUsage.MAX))) {
                var begun = underReserved.begin(Stream.concat(
                        Stream.of(new UnderReservedCalls.Budget(call.identifier(), budget.resource())), levels.budgets())
                        .toList());
                endUnderReserved = begun == null ? PlannedCall.NOT_UNDER_RESERVED : begun;
                costly = begun == null ? usage(models.maxInput(), output) : usage;
            }
            long costNanodollars = price == null ? 0 : models.costNanodollars(costly);
            var checks = new ArrayList<ResourceCheck>(4);
            checks.add(models.areAllowed(snapshot, tier) && LevelLimits.areModelsAllowed(snapshot, call)
                    ? requests.check(tier, 1)
                    : new ResourceCheck(requests.resource(), Rate.BLOCKED, 1));
            checks.add(tokens.reservationCheck(tier, usage.total()));
            checks.add(unpriced
                    ? new ResourceCheck(budget.resource(), Rate.BLOCKED, 1)
                    : budget.reservationCheck(tier, costNanodollars));
            checks.addAll(furtherChecks.apply(tier));
            var decided = new ArrayList<RateLimitRequest>();
            decided.add(new RateLimitRequest(call.identifier(), tier, requests.resource(), checks));
            decided.addAll(levels.requests(usage, costNanodollars));
            return new PlannedCall(call, price, usage, costNanodollars, decided,
                    levels.windows(call.identifier(), tokens.resource(), budget.resource()), unpriced, uncapped,
                    endUnderReserved);
        } catch (RuntimeException | Error e) {
            if (uncapped != null) {
                uncapped.cancel();
            }
            endUnderReserved.run();
            throw e;
        }
    }

    /** Returns the output that a call may have. */
    private static long output(LlmCallEstimate call, AnsweringModels models, long typical) {
        if (call.maxOutputTokens() < 0) {
            return (call.background() ? models.unlimitedOutput() : typical) * call.choices();
        }
        return call.maxOutputTokens();
    }

    private static TokenUsage usage(long input, long output) {
        return TokenUsage.of(Math.min(input, TokenUsage.MAX), Math.min(output, TokenUsage.MAX));
    }
}
