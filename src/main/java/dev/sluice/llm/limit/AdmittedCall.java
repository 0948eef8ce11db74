package dev.sluice.llm.limit;

import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageExtractor;

/** A call that was decided. Where it may go ahead, it is told once how it ended; what it is told later does nothing. */
public final class AdmittedCall {

    /** Why a call without a price is refused, and what helps. */
    public static final String UNPRICED = "The model has no price, and a budget governs the call: give it one"
            + " (rate-limit.llm.<provider>.prices), or set rate-limit.llm.unpriced=allow";

    /** The model of calls that nobody has named one for. */
    private static final String UNKNOWN = "unknown";

    private final LlmCallEstimate ask;
    private final ModelPrice price;
    private final TokenUsage estimate;
    private final long cost;
    private final String tokens;
    private final String budget;
    private final Decision decision;
    private final boolean unpriced;
    private final CallAccounting books;
    private final AtomicBoolean ended = new AtomicBoolean();

    /** @param cost that is expected, in billionths of a dollar */
    AdmittedCall(LlmCallEstimate ask, ModelPrice price, TokenUsage estimate, long cost, String tokens, String budget,
            Decision decision,
            boolean unpriced,
            CallAccounting books) {
        this.ask = ask;
        this.price = price;
        this.estimate = estimate;
        this.cost = cost;
        this.tokens = tokens;
        this.budget = budget;
        this.decision = decision;
        this.unpriced = unpriced;
        this.books = books;
    }

    public Decision decision() {
        return decision;
    }

    public Provider provider() {
        return ask.provider();
    }

    /** Whether the call was refused because its model has no price, and a budget governs it. */
    public boolean unpriced() {
        return unpriced;
    }

    /** What a refused call throws. */
    public RateLimitExceededException refusal() {
        return unpriced ? new RateLimitExceededException(decision, UNPRICED) : new RateLimitExceededException(decision);
    }

    /** Returns the unit of a quota, also if its rate is {@link dev.sluice.api.Rate#BLOCKED}, which has none. */
    public QuotaUnit unit(QuotaStatus quota) {
        var resource = quota.resource();
        return resource.equals(budget)
                ? QuotaUnit.NANODOLLARS
                : resource.equals(tokens) ? QuotaUnit.TOKENS : QuotaUnit.REQUESTS;
    }

    /** How many units the call asked of a quota. */
    public long requested(QuotaStatus quota) {
        return switch (quota.unit()) {
            case REQUESTS -> 1;
            case TOKENS -> Math.min(estimate.total(), quota.limit());
            case NANODOLLARS -> Math.min(cost, quota.limit());
        };
    }

    /** What was reserved; null where nothing was. */
    public String reservation() {
        return decision.reservation().orElse(null);
    }

    /** What was taken for the call's size. */
    public TokenUsage estimate() {
        return estimate;
    }

    /** The call was answered, and the provider has reported this. */
    public void succeeded(TokenUsage usage) {
        succeeded(usage, null);
    }

    /** @param model that the answer names, for a call that named none; null where it does not */
    public void succeeded(TokenUsage usage, String model) {
        end(usage, model, false);
    }

    /** The call was answered, or broke off after it had begun to be, and nobody has reported its usage: about this it was. */
    public void estimated(TokenUsage usage) {
        estimated(usage, null);
    }

    /** @param model that the answer names, for a call that named none; null where it does not */
    public void estimated(TokenUsage usage, String model) {
        end(usage, model, true);
    }

    /** The answer has ended, or nobody waits for the rest of it: it comes to what its reader has found. */
    public void settle(UsageExtractor reader) {
        try {
            reader.end();
            var usage = reader.usage();
            if (usage != null && reader.complete()) {
                succeeded(usage, reader.model());
            } else {
                estimated(guess(usage, Math.min(reader.events(), TokenUsage.MAX)), reader.model());
            }
        } catch (RuntimeException | Error e) {
            estimated(estimate);
            throw e;
        }
    }

    /** What is known, and for the rest what was expected; a stream has given about a token in each of its events. */
    private TokenUsage guess(TokenUsage known, long events) {
        return known == null
                ? TokenUsage.of(estimate.input(), events > 0 ? events : estimate.output())
                : new TokenUsage(known.input(), known.cachedInput(), known.cacheWrite(), known.longCacheWrite(),
                        Math.max(known.output(), events));
    }

    private void end(TokenUsage usage, String answered, boolean estimated) {
        // Computed first: an Error here leaves the call open, so that whoever catches it can end the call.
        var model = ask.model().isEmpty() ? answered == null || answered.isEmpty() ? UNKNOWN : answered : ask.model();
        var cost = ask.model().isEmpty() && answered != null ? books.price(ask.provider(), answered) : price;
        long nanodollars = cost == null ? 0 : LlmLimiter.nanodollars(cost.picodollars(usage));
        if (ended.compareAndSet(false, true)) {
            books.settle(ask.identifier(), reservation(), Map.of(tokens, usage.total(), budget, nanodollars));
            books.book(ask.provider(), ask.identifier(), model, usage, cost, estimated, null).subscribe().with(written -> {
            }, failure -> {
            });
        }
    }

    /** The provider refused the call, or failed: what was reserved is given back, and nothing is booked. */
    public void failed(boolean limited) {
        if (ended.compareAndSet(false, true)) {
            books.settle(ask.identifier(), reservation(), Map.of(tokens, 0L, budget, 0L));
            books.failed(ask.provider(), price, limited);
        }
    }
}
