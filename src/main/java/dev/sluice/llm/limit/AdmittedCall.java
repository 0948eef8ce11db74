package dev.sluice.llm.limit;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.Money;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageExtractor;

/**
 * Decided LLM call with its reservation. An allowed call must be ended once: settled with its usage, or released. Further
 * attempts to end it have no effect. Thread-safe.
 */
public final class AdmittedCall {

    /** Reason of the denial of a call without a price, and the remedies. */
    public static final String UNPRICED_MESSAGE = "The model has no price, but a budget applies to the call: set its price"
            + " (rate-limit.llm.<provider>.prices), or set rate-limit.llm.unpriced=allow";

    /** Model in the ledger for calls that name none, if the response names none either. */
    private static final String UNKNOWN_MODEL = "unknown";

    /**
     * End of a call that was booked.
     *
     * @param usage the tokens that are booked
     * @param responseModel the model named in the response; null if it is not known
     * @param picodollars the cost in 10⁻¹² US dollars; negative if the model has no price
     */
    public record Settlement(TokenUsage usage, String responseModel, long picodollars) {
    }

    private final PlannedCall planned;
    private final Decision decision;
    private final CallAccounting accounting;
    private final AtomicBoolean finished = new AtomicBoolean();
    /** Identifier in the ledger. */
    private volatile String ledgerIdentifier;
    /** Null until the call is settled. */
    private volatile Settlement settlement;

    AdmittedCall(PlannedCall planned, Decision decision, CallAccounting accounting) {
        this.planned = planned;
        this.decision = decision;
        this.accounting = accounting;
        this.ledgerIdentifier = planned.estimate().identifier();
    }

    /**
     * Returns the decision of all limits that apply to the call.
     *
     * @return the decision, with the status of each quota
     */
    public Decision decision() {
        return decision;
    }

    /**
     * Returns the provider that is called.
     *
     * @return the provider
     */
    public Provider provider() {
        return planned.estimate().provider();
    }

    /**
     * Returns whether the call was denied because its model has no price and a budget applies to it.
     *
     * @return true only for a denied call
     */
    public boolean deniedAsUnpriced() {
        return planned.unpriced();
    }

    /**
     * Creates the exception that reports the denial of this call.
     *
     * @return the exception, not thrown
     */
    public RateLimitExceededException denialException() {
        return planned.unpriced()
                ? new RateLimitExceededException(decision, UNPRICED_MESSAGE)
                : new RateLimitExceededException(decision);
    }

    /**
     * Returns the unit of a quota of this call. Unlike {@link QuotaStatus#unit()}, it is also known if the rate is
     * {@link dev.sluice.api.Rate#BLOCKED}.
     *
     * @param quota a quota of this call's decision
     * @return requests, tokens or nanodollars
     */
    public QuotaUnit unitOf(QuotaStatus quota) {
        var resource = quota.resource();
        return resource.equals(planned.budgetResource())
                ? QuotaUnit.NANODOLLARS
                : resource.equals(planned.tokensResource()) ? QuotaUnit.TOKENS : QuotaUnit.REQUESTS;
    }

    /**
     * Returns the number of units that this call has requested from a quota.
     *
     * @param quota a quota of this call's decision
     * @return requests, tokens or 10⁻⁹ US dollars; at most the quota's limit
     */
    public long requestedUnits(QuotaStatus quota) {
        return switch (quota.unit()) {
            case REQUESTS -> 1;
            case TOKENS -> Math.min(planned.usage().total(), quota.limit());
            case NANODOLLARS -> Math.min(planned.costNanodollars(), quota.limit());
        };
    }

    /**
     * Returns the token of the reservation.
     *
     * @return the token; null if nothing was reserved
     */
    public String reservation() {
        return decision.reservation().orElse(null);
    }

    /**
     * Returns how the call was settled.
     *
     * @return what was booked; null before the end of the call, and if it was released
     */
    public Settlement settlement() {
        return settlement;
    }

    /**
     * Returns the usage estimated before the call, for which tokens and budget were reserved.
     *
     * @return the estimate
     */
    public TokenUsage estimatedUsage() {
        return planned.usage();
    }

    /**
     * Books the call for another identifier than the one in whose windows it is counted. Has an effect until the call is settled.
     *
     * @param identifier identifier in the ledger
     */
    public void bookFor(String identifier) {
        ledgerIdentifier = identifier;
    }

    /**
     * Creates an extractor for the provider's response. It stops at the same size as a request body does.
     *
     * @see UsageExtractor#of(Provider, Shape, String, String)
     */
    public UsageExtractor usageExtractor(Shape shape, String contentType, String contentEncoding) {
        return UsageExtractor.of(provider(), shape, contentType, contentEncoding, accounting.maxInflatedBytes());
    }

    /**
     * Settles the call with the usage that the provider has reported.
     *
     * @param usage the reported usage
     */
    public void settleReported(TokenUsage usage) {
        settleReported(usage, null);
    }

    /**
     * Settles the call with the usage that the provider has reported.
     *
     * @param usage the reported usage
     * @param model the model named in the response, for a call that named none; may be null
     */
    public void settleReported(TokenUsage usage, String model) {
        finish(usage, UsageDetails.NONE, model, false);
    }

    /**
     * Settles the call with an estimate: it succeeded, or was interrupted after it had been sent, and no usage was
     * reported.
     *
     * @param usage the estimated usage, booked as estimated
     */
    public void settleEstimated(TokenUsage usage) {
        settleEstimated(usage, null);
    }

    /**
     * Settles the call with an estimate: it succeeded, or was interrupted after it had been sent, and no usage was
     * reported.
     *
     * @param usage the estimated usage, booked as estimated
     * @param model the model named in the response, for a call that named none; may be null
     */
    public void settleEstimated(TokenUsage usage, String model) {
        finish(usage, planned.estimate().details(), model, true);
    }

    /**
     * Ends the call without settling it: its usage is reported to a later request. What is reserved stays reserved.
     *
     * @return the call, to be settled by {@link LlmLimiter#settleDeferred}; empty if this call has ended already
     */
    public Optional<DeferredCall> defer() {
        if (!finished.compareAndSet(false, true)) {
            return Optional.empty();
        }
        planned.cancel();
        var estimate = planned.estimate();
        return Optional.of(new DeferredCall(estimate.provider(), estimate.identifier(), ledgerIdentifier, estimate.model(),
                planned.usage(), estimate.details(), reservation(), planned.tokensResource(), planned.budgetResource()));
    }

    /**
     * Settles the call when its response has ended or is not read any further, with the usage found in it, completed by an
     * estimate if necessary.
     *
     * @param extractor has received the response so far; ended by this method
     */
    public void settle(UsageExtractor extractor) {
        try {
            extractor.end();
            var usage = extractor.usage();
            if (extractor.isFailure()) {
                release(false); // the provider bills nothing
            } else if (usage != null && extractor.isComplete()) {
                finish(usage, extractor.details(), extractor.model(), false);
            } else if (usage == null && extractor.isComplete() && isBilledByRequest()) {
                finish(TokenUsage.NONE, planned.estimate().details(), extractor.model(), false);
            } else {
                var details = usage == null ? planned.estimate().details() : extractor.details().withoutIterations();
                finish(completeUsage(usage, Math.min(extractor.contentEvents(), TokenUsage.MAX)), details, extractor.model(),
                        true);
            }
        } catch (RuntimeException | Error e) {
            settleEstimated(planned.usage());
            throw e;
        }
    }

    /** Returns whether characters or images, which the request contains, are billed. */
    private boolean isBilledByRequest() {
        return planned.price() != null && planned.price().isBilledByRequest(planned.estimate().details());
    }

    /** Completes an incomplete report with the estimate. A stream carries about one token per event. */
    private TokenUsage completeUsage(TokenUsage reported, long events) {
        return reported == null
                ? TokenUsage.of(planned.usage().input(), events > 0 ? events : planned.usage().output())
                : new TokenUsage(reported.input(), reported.cachedInput(), reported.cacheWrite(), reported.longCacheWrite(),
                        Math.max(reported.output(), events));
    }

    private void finish(TokenUsage usage, UsageDetails details, String responseModel, boolean estimated) {
        // Computed first: an Error here leaves the call open, so that the code that catches it can still end the call.
        var model = planned.estimate().model().isEmpty()
                ? responseModel == null || responseModel.isEmpty() ? UNKNOWN_MODEL : responseModel
                : planned.estimate().model();
        var modelPrice = billedPrice(responseModel);
        if (modelPrice != null && !modelPrice.covers(usage, details)) {
            if (!estimated && planned.price() != null) { // of units or tokens that have no price: the request's have one
                finish(planned.usage(), planned.estimate().details(), responseModel, true);
                return;
            }
            modelPrice = planned.price();
        }
        long picodollars = modelPrice == null
                ? -1
                : accounting.cost(planned.estimate().provider(), modelPrice, usage,
                        modelPrice.isConfigured() ? details.withoutIterations() : details);
        long nanodollars = modelPrice == null ? 0 : Money.nanodollars(picodollars);
        var settled = new Settlement(usage, responseModel, picodollars);
        if (finished.compareAndSet(false, true)) {
            settlement = settled;
            accounting.settle(planned.estimate().identifier(), reservation(),
                    Map.of(planned.tokensResource(), usage.total(), planned.budgetResource(), nanodollars));
            long outputSample = planned.uncapped() == null ? -1 : planned.uncapped().end(usage, estimated);
            accounting
                    .book(planned.estimate().provider(), ledgerIdentifier, model, usage, modelPrice, picodollars, estimated,
                            null, outputSample)
                    .subscribe().with(written -> {
                    }, failure -> {
                    });
        }
    }

    /**
     * Returns the price of the model that has answered; of the requested one if that has a configured price, or the other is not
     * known.
     */
    private ModelPrice billedPrice(String responseModel) {
        boolean asRequested = responseModel == null || responseModel.equals(planned.estimate().model())
                || planned.price() != null && planned.price().isConfigured();
        var answered = asRequested
                ? null
                : accounting.findPrice(planned.estimate().provider(), responseModel);
        return answered == null ? planned.price() : answered;
    }

    /**
     * Releases the reservation of a call that the provider rejected, or that failed. Nothing is booked.
     *
     * @param rateLimited whether the provider's own rate limit rejected the call (429)
     */
    public void release(boolean rateLimited) {
        if (finished.compareAndSet(false, true)) {
            accounting.settle(planned.estimate().identifier(), reservation(),
                    Map.of(planned.tokensResource(), 0L, planned.budgetResource(), 0L));
            planned.cancel();
            accounting.countFailure(planned.estimate().provider(), planned.price(), rateLimited);
        }
    }
}
