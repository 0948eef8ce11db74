package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import io.smallrye.mutiny.Uni;

/** Ends of calls that programs make themselves, and report afterwards. Thread-safe and non-blocking. */
final class CallReports {

    private final CallbackRateLimiter limiter;
    private final CurrentLlmPolicy policy;
    private final CallAccounting accounting;
    private final OutputEstimates outputEstimates;
    private final DetachedReservations detached;

    CallReports(CallbackRateLimiter limiter, CurrentLlmPolicy policy, CallAccounting accounting,
            OutputEstimates outputEstimates,
            DetachedReservations detached) {
        this.limiter = limiter;
        this.policy = policy;
        this.accounting = accounting;
        this.outputEstimates = outputEstimates;
        this.detached = detached;
    }

    /** Books a call, as {@link LlmLimiter#report}. */
    Uni<Void> report(ExternalCall call) {
        return Uni.createFrom().deferred(() -> {
            var provider = call.provider();
            var price = accounting.findPrice(provider, call.model());
            var usage = call.usage();
            var bill = price == null || !price.covers(usage, UsageDetails.NONE)
                    ? new Bill(usage, null, CostParts.unpriced(Map.of()), false)
                    : new Bill(usage, price, price.cost(usage, UsageDetails.NONE), false);
            var levels = new LevelLimits(policy.current(), provider, call.model(), call.chain());
            return settle(call, bill, levels)
                    .chain(() -> accounting.bookOnce(provider, call.identifier(), CallOwner.of(call.identifier(), call.chain()),
                            call.model(), bill,
                            call.requestId(), outputSample(provider, call.identifier(), call.model(), usage),
                            () -> charge(call, levels, bill).subscribe().with(charged -> {
                            })))
                    .chain(isNew -> isNew ? charge(call, levels, bill) : Uni.createFrom().voidItem())
                    .chain(() -> accounting.awaitWritten(call.identifier()));
        });
    }

    /** Settles the reservation of a call, if there is one, where it was taken; its windows are those of now if that is not known. */
    private Uni<Void> settle(ExternalCall call, Bill bill, LevelLimits levels) {
        if (call.reservation() == null) {
            return Uni.createFrom().voidItem();
        }
        return detached.find(call.reservation()).invoke(reserved -> {
            var windows = reserved != null && reserved.identifiers().get(0).equals(call.identifier())
                    ? reserved
                    : levels.windows(call.identifier(), reservedKinds(call.provider(), call.model()));
            accounting.settleDetached(windows.identifiers(), call.reservation(),
                    windows.units(bill.usage(), bill.nanodollars()));
        }).replaceWithVoid();
    }

    /** Leaves the end of a call to its report, as {@link LlmLimiter#detach}. */
    Uni<@Nullable String> detach(AdmittedCall call) {
        var reservation = call.detach();
        return reservation == null || !call.hasLevels()
                ? Uni.createFrom().item(reservation)
                : detached.add(reservation, call.windows()).replaceWith(reservation);
    }

    /** Counts usage, unless it was reserved. Usage that cannot be counted because Redis is unavailable is only booked. */
    private Uni<Void> charge(ExternalCall call, LevelLimits levels, Bill bill) {
        if (call.reservation() != null) {
            return Uni.createFrom().voidItem();
        }
        var snapshot = policy.current();
        var tier = snapshot.tiers().effective(call.tier());
        var rules = snapshot.rules(call.provider(), tier, call.model());
        var checks = new ArrayList<ResourceCheck>();
        for (var kind : LimitKind.RESERVED) {
            long units = kind.units(bill.usage(), bill.nanodollars());
            if (units > 0) {
                var rule = rules.get(kind);
                // An unlimited rule counts nothing; the units of a call may exceed the largest cost, which has no limit to exceed.
                boolean counts = !rule.check(tier, 0).rate().quotas().isEmpty();
                checks.add(rule.check(tier, counts ? units : 1));
            }
        }
        checks.removeIf(check -> check.rate() == Rate.BLOCKED);
        var requests = new ArrayList<RateLimitRequest>();
        if (!checks.isEmpty()) {
            requests.add(new RateLimitRequest(call.identifier(), tier, rules.get(LimitKind.TOKENS).resource(), checks));
        }
        requests.addAll(levels.charges(bill.usage(), bill.nanodollars()));
        if (requests.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return Uni.createFrom().emitter(emitter -> limiter.decideAll(requests, call.chain(), CallbackRateLimiter.Mode.CHARGE,
                counted -> emitter.complete(null), failure -> emitter.complete(null)));
    }

    /** Returns the output tokens that count in the histogram: those of every call, if any tier's usage is limited. */
    private long outputSample(Provider provider, String identifier, String model, TokenUsage usage) {
        var snapshot = policy.current();
        if (snapshot.tiers().names().stream()
                .noneMatch(tier -> ReservationPlanner.limitUsage(snapshot.rules(provider, tier, model), tier))) {
            return -1;
        }
        outputEstimates.add(identifier, provider, model, usage.output());
        return usage.output();
    }

    /**
     * Returns the kinds of the resources of all tiers. The call's tier is not known any more; only the resources that are part of the
     * reservation are settled.
     */
    private Map<String, LimitKind> reservedKinds(Provider provider, String model) {
        var kinds = new HashMap<String, LimitKind>();
        var snapshot = policy.current();
        for (var tier : snapshot.tiers().names()) {
            for (var kind : LimitKind.RESERVED) {
                kinds.put(snapshot.rule(provider, kind, tier, model).resource(), kind);
            }
        }
        return kinds;
    }
}
