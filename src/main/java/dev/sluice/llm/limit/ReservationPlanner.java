package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.policy.LimitRule;

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
        var rules = snapshot.rules(call.provider(), tier, call.model());
        var requests = rules.get(LimitKind.REQUESTS);
        var budget = rules.get(LimitKind.BUDGET);
        var levels = new LevelLimits(snapshot, call.provider(), call.model(), call.chain());
        boolean hasBudget = budget.rate(tier) != Rate.UNLIMITED || levels.hasBudget();
        boolean limited = hasBudget || levels.hasTokens() || limitUsage(rules, tier);
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
            var checks = new ArrayList<ResourceCheck>(rules.size());
            boolean forbidden = !models.areAllowed(snapshot, tier) || !LevelLimits.areModelsAllowed(snapshot, call);
            checks.add(forbidden ? new ResourceCheck(requests.resource(), Rate.BLOCKED, 1) : requests.check(tier, 1));
            var kinds = new HashMap<String, LimitKind>();
            for (var kind : LimitKind.RESERVED) {
                var rule = rules.get(kind);
                long units = kind == LimitKind.INPUT_TOKENS && call.isTotal()
                        ? usage.total()
                        : kind.units(usage, costNanodollars);
                if (unpriced && kind == LimitKind.BUDGET) {
                    checks.add(new ResourceCheck(rule.resource(), Rate.BLOCKED, 1));
                } else if (rule.rate(tier) != Rate.UNLIMITED) {
                    checks.add(rule.reservationCheck(tier, units));
                } else {
                    continue;
                }
                kinds.put(rule.resource(), kind);
            }
            var concurrency = rules.get(LimitKind.CONCURRENCY);
            if (concurrency.rate(tier) != Rate.UNLIMITED) {
                checks.add(concurrency.check(tier, 1));
            }
            checks.addAll(furtherChecks.apply(tier));
            var decided = new ArrayList<RateLimitRequest>();
            decided.add(new RateLimitRequest(call.identifier(), tier, requests.resource(), checks));
            decided.addAll(levels.requests(usage, costNanodollars));
            return new PlannedCall(call, price, usage, decided, levels.windows(call.identifier(), kinds), unpriced, forbidden,
                    uncapped,
                    endUnderReserved);
        } catch (RuntimeException | Error e) {
            if (uncapped != null) {
                uncapped.cancel();
            }
            endUnderReserved.run();
            throw e;
        }
    }

    /** Returns whether rules limit what a call uses, as opposed to the number of calls. */
    static boolean limitUsage(Map<LimitKind, LimitRule> rules, String tier) {
        return LimitKind.RESERVED.stream().anyMatch(kind -> rules.get(kind).rate(tier) != Rate.UNLIMITED);
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
