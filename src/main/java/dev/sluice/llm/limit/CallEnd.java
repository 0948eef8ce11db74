package dev.sluice.llm.limit;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.pricing.Money;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.llm.protocol.UsageKind;

/** End of an admitted call: determines what it has used and cost, and settles and books it once. Thread-safe. */
final class CallEnd {

    /** Model in the ledger for calls that name none, if the response names none either. */
    private static final String UNKNOWN_MODEL = "unknown";

    private final PlannedCall planned;
    /** Null if nothing was reserved. */
    private final String reservation;
    private final CallAccounting accounting;
    private final AtomicBoolean finished = new AtomicBoolean();
    /** Identifier in the ledger. */
    private volatile String ledgerIdentifier;
    private volatile boolean reservedOutputExpected;
    /** Null until the call is settled. */
    private volatile BookedCall settlement;

    CallEnd(PlannedCall planned, String reservation, CallAccounting accounting) {
        this.planned = planned;
        this.reservation = reservation;
        this.accounting = accounting;
        this.ledgerIdentifier = planned.estimate().identifier();
    }

    /** Returns what was booked; null before the end of the call, and if it was released. */
    BookedCall settlement() {
        return settlement;
    }

    void bookFor(String identifier) {
        ledgerIdentifier = identifier;
    }

    void expectReservedOutput() {
        reservedOutputExpected = true;
    }

    long maxInflatedBytes() {
        return accounting.maxInflatedBytes();
    }

    /** Ends the call with the usage found in its response, completed by an estimate if necessary. */
    void finish(UsageExtractor extractor) {
        try {
            extractor.end();
            boolean cut = extractor.isCutWithin(planned.estimate().details().quantities().getOrDefault(UsageKind.IMAGE, 0L));
            var usage = cut ? null : extractor.usage();
            if (extractor.isFailure()) {
                release(false); // the provider bills nothing
            } else if (usage != null && extractor.isComplete()) {
                finish(usage, extractor.details(), extractor.model(), false);
            } else if (usage == null && extractor.isComplete() && isBilledByRequest()) {
                finish(TokenUsage.NONE, planned.estimate().details(), extractor.model(), false);
            } else {
                var details = usage == null
                        ? planned.estimate().details().withFees(extractor.details())
                        : extractor.details().withoutIterations();
                finish(completeUsage(usage, extractor.outputTokens()), details, extractor.model(),
                        true);
            }
        } catch (RuntimeException | Error e) {
            finish(planned.usage(), planned.estimate().details(), null, true);
            throw e;
        }
    }

    /** Returns whether characters or images, which the request contains, are billed. */
    private boolean isBilledByRequest() {
        return planned.price() != null && planned.price().isBilledByRequest(planned.estimate().details());
    }

    /**
     * Completes an incomplete report with the estimate.
     *
     * @param textOutput tokens of the text that has passed; 0 if nothing is known
     */
    private TokenUsage completeUsage(TokenUsage reported, long textOutput) {
        long output = reservedOutputExpected ? Math.max(textOutput, planned.usage().output()) : textOutput;
        return reported == null
                ? TokenUsage.of(planned.usage().input(), output > 0 ? output : planned.usage().output())
                : new TokenUsage(reported.input(), reported.cachedInput(), reported.cacheWrite(), reported.longCacheWrite(),
                        Math.max(reported.output(), output));
    }

    void finish(TokenUsage usage, UsageDetails details, String responseModel, boolean estimated) {
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
        var cost = modelPrice == null
                ? CostParts.unpriced(details.quantities())
                : accounting.cost(planned.estimate().provider(), modelPrice, usage,
                        modelPrice.isConfigured() ? details.ofRequestedModel() : details);
        cost = cost.withReported(details.reportedPicodollars());
        long picodollars = cost.picodollars();
        long nanodollars = modelPrice == null ? 0 : Money.nanodollars(picodollars);
        var settled = new BookedCall(usage, responseModel, picodollars);
        if (finished.compareAndSet(false, true)) {
            settlement = settled;
            accounting.settle(planned.estimate().identifier(), reservation,
                    Map.of(planned.tokensResource(), usage.total(), planned.budgetResource(), nanodollars),
                    planned.underReserved());
            long outputSample = planned.uncapped() == null ? -1 : planned.uncapped().end(usage, estimated);
            accounting
                    .book(planned.estimate().provider(), ledgerIdentifier, model, usage, modelPrice, cost, estimated,
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

    /** Leaves the end of the call to a later settlement of its reservation. */
    void detach() {
        accounting.detach(reservation, planned);
    }

    /** Ends the call without settling it; empty if it has ended already. It goes on to reserve less than it may cost. */
    Optional<DeferredCall> defer() {
        if (!finished.compareAndSet(false, true)) {
            return Optional.empty();
        }
        planned.cancelOutput();
        detach();
        var estimate = planned.estimate();
        return Optional.of(new DeferredCall(estimate.provider(), estimate.identifier(), ledgerIdentifier, estimate.model(),
                planned.usage(), estimate.details(), reservation, planned.tokensResource(), planned.budgetResource()));
    }

    /** Releases the reservation. Nothing is booked. */
    void release(boolean rateLimited) {
        if (finished.compareAndSet(false, true)) {
            accounting.settle(planned.estimate().identifier(), reservation,
                    Map.of(planned.tokensResource(), 0L, planned.budgetResource(), 0L), () -> {
                    });
            planned.cancel();
            accounting.countFailure(planned.estimate().provider(), planned.price(), rateLimited);
        }
    }
}
