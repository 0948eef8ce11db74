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
    public static final String UNPRICED_MESSAGE = "The model has no price, and a budget governs the call: give it one"
            + " (rate-limit.llm.<provider>.prices), or set rate-limit.llm.unpriced=allow";

    /** The model of calls that nobody has named one for. */
    private static final String UNKNOWN_MODEL = "unknown";

    private final LlmCallEstimate callEstimate;
    private final ModelPrice price;
    private final TokenUsage estimatedUsage;
    private final long costNanodollars;
    private final String tokensResource;
    private final String budgetResource;
    private final Decision decision;
    private final boolean deniedAsUnpriced;
    private final CallAccounting accounting;
    private final AtomicBoolean finished = new AtomicBoolean();

    /** @param costNanodollars that is expected, in billionths of a dollar */
    AdmittedCall(LlmCallEstimate callEstimate, ModelPrice price, TokenUsage estimatedUsage, long costNanodollars, String tokensResource, String budgetResource,
            Decision decision,
            boolean deniedAsUnpriced,
            CallAccounting accounting) {
        this.callEstimate = callEstimate;
        this.price = price;
        this.estimatedUsage = estimatedUsage;
        this.costNanodollars = costNanodollars;
        this.tokensResource = tokensResource;
        this.budgetResource = budgetResource;
        this.decision = decision;
        this.deniedAsUnpriced = deniedAsUnpriced;
        this.accounting = accounting;
    }

    public Decision decision() {
        return decision;
    }

    public Provider provider() {
        return callEstimate.provider();
    }

    /** Whether the call was refused because its model has no price, and a budget governs it. */
    public boolean deniedAsUnpriced() {
        return deniedAsUnpriced;
    }

    /** What a refused call throws. */
    public RateLimitExceededException denialException() {
        return deniedAsUnpriced ? new RateLimitExceededException(decision, UNPRICED_MESSAGE) : new RateLimitExceededException(decision);
    }

    /** Returns the unit of a quota, also if its rate is {@link dev.sluice.api.Rate#BLOCKED}, which has none. */
    public QuotaUnit unitOf(QuotaStatus quota) {
        var resource = quota.resource();
        return resource.equals(budgetResource)
                ? QuotaUnit.NANODOLLARS
                : resource.equals(tokensResource) ? QuotaUnit.TOKENS : QuotaUnit.REQUESTS;
    }

    /** How many units the call asked of a quota. */
    public long requestedUnits(QuotaStatus quota) {
        return switch (quota.unit()) {
            case REQUESTS -> 1;
            case TOKENS -> Math.min(estimatedUsage.total(), quota.limit());
            case NANODOLLARS -> Math.min(costNanodollars, quota.limit());
        };
    }

    /** What was reserved; null where nothing was. */
    public String reservation() {
        return decision.reservation();
    }

    /** What was taken for the call's size. */
    public TokenUsage estimatedUsage() {
        return estimatedUsage;
    }

    /** The call was answered, and the provider has reported this. */
    public void settleReported(TokenUsage usage) {
        settleReported(usage, null);
    }

    /** @param model that the answer names, for a call that named none; null where it does not */
    public void settleReported(TokenUsage usage, String model) {
        finish(usage, model, false);
    }

    /** The call was answered, or broke off after it had begun to be, and nobody has reported its usage: about this it was. */
    public void settleEstimated(TokenUsage usage) {
        settleEstimated(usage, null);
    }

    /** @param model that the answer names, for a call that named none; null where it does not */
    public void settleEstimated(TokenUsage usage, String model) {
        finish(usage, model, true);
    }

    /** The answer has ended, or nobody waits for the rest of it: it comes to what its reader has found. */
    public void settle(UsageExtractor extractor) {
        try {
            extractor.end();
            var usage = extractor.usage();
            if (usage != null && extractor.isComplete()) {
                settleReported(usage, extractor.model());
            } else {
                settleEstimated(completeUsage(usage, Math.min(extractor.contentEvents(), TokenUsage.MAX)), extractor.model());
            }
        } catch (RuntimeException | Error e) {
            settleEstimated(estimatedUsage);
            throw e;
        }
    }

    /** What is known, and for the rest what was expected; a stream has given about a token in each of its events. */
    private TokenUsage completeUsage(TokenUsage reported, long events) {
        return reported == null
                ? TokenUsage.of(estimatedUsage.input(), events > 0 ? events : estimatedUsage.output())
                : new TokenUsage(reported.input(), reported.cachedInput(), reported.cacheWrite(), reported.longCacheWrite(),
                        Math.max(reported.output(), events));
    }

    private void finish(TokenUsage usage, String responseModel, boolean estimated) {
        // Computed first: an Error here leaves the call open, so that whoever catches it can end the call.
        var model = callEstimate.model().isEmpty() ? responseModel == null || responseModel.isEmpty() ? UNKNOWN_MODEL : responseModel : callEstimate.model();
        var modelPrice = callEstimate.model().isEmpty() && responseModel != null ? accounting.findPrice(callEstimate.provider(), responseModel) : price;
        long nanodollars = modelPrice == null ? 0 : LlmLimiter.nanodollars(modelPrice.picodollars(usage));
        if (finished.compareAndSet(false, true)) {
            accounting.settle(callEstimate.identifier(), reservation(), Map.of(tokensResource, usage.total(), budgetResource, nanodollars));
            accounting.book(callEstimate.provider(), callEstimate.identifier(), model, usage, modelPrice, estimated, null).subscribe().with(written -> {
            }, failure -> {
            });
        }
    }

    /** The provider refused the call, or failed: what was reserved is given back, and nothing is booked. */
    public void release(boolean rateLimited) {
        if (finished.compareAndSet(false, true)) {
            accounting.settle(callEstimate.identifier(), reservation(), Map.of(tokensResource, 0L, budgetResource, 0L));
            accounting.countFailure(callEstimate.provider(), price, rateLimited);
        }
    }
}
