package dev.sluice.llm.limit;

import java.util.Optional;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.policy.LimitKind;
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

    private final PlannedCall planned;
    private final Decision decision;
    private final CallEnd end;

    AdmittedCall(PlannedCall planned, Decision decision, CallAccounting accounting) {
        this.planned = planned;
        this.decision = decision;
        this.end = new CallEnd(planned, reservation(), decision.slot(), accounting);
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
     * Returns whether the call was denied because the caller may not call its model.
     *
     * @return true only for a denied call
     */
    public boolean deniedAsForbidden() {
        return planned.forbidden();
    }

    /**
     * Returns the reason of the denial of a call whose model may not be called.
     *
     * @return the message
     */
    public String forbiddenMessage() {
        return planned.estimate().model().isEmpty()
                ? "The caller may call certain models only, and the call names none"
                : "The caller may not call the model: a list of models of the provider, key, user, team or organisation does not"
                        + " contain it";
    }

    /**
     * Returns the reason of the denial of a call without a price, with the remedies.
     *
     * @return the message
     */
    public String unpricedMessage() {
        var prefix = "rate-limit.llm." + provider().id();
        return "The model has no price, but a budget applies to the call: set its price (" + prefix
                + ".prices), or the model that it"
                + " stands for (" + prefix + ".aliases), or set rate-limit.llm.unpriced=allow";
    }

    /**
     * Creates the exception that reports the denial of this call.
     *
     * @return the exception, not thrown
     */
    public RateLimitExceededException denialException() {
        if (planned.forbidden()) {
            return new RateLimitExceededException(decision, forbiddenMessage());
        }
        return planned.unpriced()
                ? new RateLimitExceededException(decision, unpricedMessage())
                : new RateLimitExceededException(decision);
    }

    /**
     * Returns what a quota of this call counts. Unlike {@link QuotaStatus#unit()}, it is also known if the rate is
     * {@link dev.sluice.api.Rate#BLOCKED}.
     *
     * @param quota a quota of this call's decision
     * @return the kind of the limit
     */
    public LimitKind kindOf(QuotaStatus quota) {
        return planned.windows().kind(quota);
    }

    /**
     * Returns the number of units that this call has requested from a quota.
     *
     * @param quota a quota of this call's decision
     * @return requests, tokens or 10⁻⁹ US dollars; at most the quota's limit
     */
    public long requestedUnits(QuotaStatus quota) {
        return planned.requests().stream().flatMap(request -> request.checks().stream())
                .filter(check -> check.resource().equals(quota.resource()))
                .mapToLong(check -> Math.min(check.cost(), quota.limit())).findFirst().orElse(1);
    }

    /** Returns whether levels of the caller have limits that the call was decided by. */
    boolean hasLevels() {
        return planned.requests().size() > 1;
    }

    /** Returns the windows that reserve tokens and budget. */
    ReservedWindows windows() {
        return planned.windows();
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
     * Leaves the end of the call to {@link LlmLimiter#report}: its usage is not known here. What is reserved stays reserved. Its slots
     * of calls in flight are released, because that end need not be reported.
     *
     * @return the token with which the usage is reported; null if nothing was reserved
     */
    public String detach() {
        end.detach();
        return reservation();
    }

    /**
     * Returns how the call was settled.
     *
     * @return what was booked; null before the end of the call, and if it was released
     */
    public BookedCall settlement() {
        return end.settlement();
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
     * @param chain the levels of the caller with that identifier
     */
    public void bookFor(String identifier, IdentityChain chain) {
        end.bookFor(identifier, chain);
    }

    /**
     * Creates an extractor for the provider's response. It stops at the same size as a request body does.
     *
     * @see UsageExtractor#of(Provider, Shape, String, String)
     */
    public UsageExtractor usageExtractor(Shape shape, String contentType, String contentEncoding) {
        return UsageExtractor.of(provider(), shape, contentType, contentEncoding, end.maxInflatedBytes());
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
        end.finish(usage, UsageDetails.NONE, model, false);
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
        end.finish(usage, planned.estimate().details(), model, true);
    }

    /**
     * Ends the call without settling it: its usage is reported to a later request. What is reserved stays reserved.
     *
     * @return the call, to be settled by {@link LlmLimiter#settleDeferred}; empty if this call has ended already
     */
    public Optional<DeferredCall> defer() {
        return end.defer();
    }

    /**
     * Has the call settled with at least the output that is reserved, unless its usage is reported: the rest of its response is not
     * read.
     */
    public void expectReservedOutput() {
        end.expectReservedOutput();
    }

    /**
     * Settles the call when its response has ended or is not read any further, with the usage found in it, completed by an
     * estimate if necessary.
     *
     * @param extractor has received the response so far; ended by this method
     */
    public void settle(UsageExtractor extractor) {
        end.finish(extractor);
    }

    /**
     * Releases the reservation of a call that the provider rejected, or that failed. Nothing is booked.
     *
     * @param rateLimited whether the provider's own rate limit rejected the call (429)
     */
    public void release(boolean rateLimited) {
        end.release(rateLimited);
    }
}
