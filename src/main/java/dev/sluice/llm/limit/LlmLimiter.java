package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import io.smallrye.mutiny.Uni;

/**
 * Limits calls of language models: requests, tokens and money in one decision. Tokens and money are not known before the
 * call, so an estimate is reserved and later settled to what the provider reports.
 */
@ApplicationScoped
public class LlmLimiter {

    private final CallbackRateLimiter limiter;
    private final CurrentLlmPolicy rows;
    private final boolean refuseUnpriced;
    private final CallAccounting books;

    LlmLimiter(CallbackRateLimiter limiter, CurrentLlmPolicy rows, LlmConfig settings, Ledger ledger, LlmMetrics meters,
            SettlementQueue settlements) {
        this.limiter = limiter;
        this.rows = rows;
        this.refuseUnpriced = settings.unpriced() == LlmConfig.Unpriced.REFUSE;
        this.books = new CallAccounting(ledger, meters, settlements, rows);
    }

    /**
     * Decides a call. Where it may go ahead, the {@link AdmittedCall} must be told how it ended.
     *
     * @return fails with {@link dev.sluice.api.StoreUnavailableException}
     */
    public Uni<AdmittedCall> admit(LlmCallEstimate ask) {
        return Uni.createFrom().deferred(() -> {
            var now = rows.now();
            var tier = now.tiers().effective(ask.tier());
            var price = price(ask.provider(), ask.model());
            var priced = price.map(ModelPrice::name).orElse(null);
            long output = ask.output() < 0 ? now.outputEstimate(ask.provider(), ask.model(), priced) : ask.output();
            var estimate = TokenUsage.of(Math.min(ask.input(), TokenUsage.MAX), Math.min(output, TokenUsage.MAX));
            long cost = price.map(row -> nanodollars(cost(row, estimate))).orElse(0L);
            var requests = now.row(ask.provider(), QuotaUnit.REQUESTS, tier, ask.model(), priced);
            var tokens = now.row(ask.provider(), QuotaUnit.TOKENS, tier, ask.model(), priced);
            var budget = now.row(ask.provider(), QuotaUnit.NANODOLLARS, tier, ask.model(), priced);
            boolean unpriced = refuseUnpriced && price.isEmpty() && budget.rate(tier) != Rate.UNLIMITED;
            var demands = new ArrayList<ResourceCheck>(3);
            demands.add(requests.check(tier, 1));
            demands.add(tokens.reservationCheck(tier, estimate.total()));
            demands.add(unpriced
                    ? new ResourceCheck(budget.resource(), Rate.BLOCKED, 1)
                    : budget.reservationCheck(tier, cost));
            var request = new RateLimitRequest(ask.identifier(), tier, requests.resource(), demands);
            return open(request, decision -> {
                if (!decision.allowed()) {
                    books.denied(ask.provider(), priced);
                }
                return new AdmittedCall(ask, price.orElse(null), estimate, cost, tokens.resource(), budget.resource(), decision,
                        unpriced, books);
            });
        });
    }

    /** A call that is admitted after its caller has cancelled, or has stopped waiting, gives back what was reserved. */
    private Uni<AdmittedCall> open(RateLimitRequest request, Function<Decision, AdmittedCall> as) {
        return Uni.createFrom().emitter(emitter -> {
            var taken = new AtomicBoolean();
            emitter.onTermination(() -> taken.set(true));
            limiter.check(request, decision -> {
                AdmittedCall call;
                try {
                    call = as.apply(decision);
                } catch (RuntimeException | Error e) { // the limiter's callbacks must not throw
                    emitter.fail(e);
                    return;
                }
                if (taken.compareAndSet(false, true)) {
                    emitter.complete(call);
                } else if (decision.allowed()) {
                    call.failed(false);
                }
            }, emitter::fail);
        });
    }

    /**
     * Books usage that happened elsewhere, and settles the reservation it was made under.
     *
     * @param reservation what {@link AdmittedCall#reservation()} said; null where there is none
     * @param requestId the same is booked once; null where there is none
     * @return completes when it is written, or waits to be
     */
    public Uni<Void> report(Provider provider, String identifier, String model, TokenUsage usage, String reservation,
            String requestId) {
        return Uni.createFrom().deferred(() -> {
            var price = price(provider, model);
            var priced = price.map(ModelPrice::name).orElse(null);
            if (reservation != null) {
                books.settle(identifier, reservation, settlement(provider, model, priced, usage, price));
            }
            return books.book(provider, identifier, model, usage, price.orElse(null), false, requestId)
                    .chain(() -> books.written(identifier));
        });
    }

    /** The tier is not known any more: whichever row it was, the reservation knows. */
    private Map<String, Long> settlement(Provider provider, String model, String priced, TokenUsage usage,
            Optional<ModelPrice> price) {
        var used = new HashMap<String, Long>();
        long cost = price.map(row -> nanodollars(row.picodollars(usage))).orElse(0L);
        var now = rows.now();
        for (var tier : now.tiers().names()) {
            used.put(now.row(provider, QuotaUnit.TOKENS, tier, model, priced).resource(), usage.total());
            used.put(now.row(provider, QuotaUnit.NANODOLLARS, tier, model, priced).resource(), cost);
        }
        return used;
    }

    /** Where nobody has said what goes in and what comes out, all of it is the dearer of the two. */
    private static long cost(ModelPrice price, TokenUsage estimate) {
        long cost = price.picodollars(estimate);
        return estimate.input() > 0 ? cost : Math.max(cost, price.picodollars(TokenUsage.of(estimate.output(), 0)));
    }

    private Optional<ModelPrice> price(Provider provider, String model) {
        return Optional.ofNullable(books.price(provider, model));
    }

    /** Rounded up. */
    static long nanodollars(long picodollars) {
        return (picodollars + 999) / 1000;
    }
}
