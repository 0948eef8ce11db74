package dev.sluice.llm.limit;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.ledger.CallOwner;
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
    private final ConcurrencySlot slot;
    private final CallAccounting accounting;
    private final AtomicBoolean finished = new AtomicBoolean();
    /** Identifier in the ledger. */
    private volatile String ledgerIdentifier;
    private volatile CallOwner owner;
    private volatile boolean reservedOutputExpected;
    /** Null until the call is settled. */
    private volatile BookedCall settlement;

    /** @param slot released when the call ends, however it ends */
    CallEnd(PlannedCall planned, String reservation, ConcurrencySlot slot, CallAccounting accounting) {
        this.slot = slot;
        this.planned = planned;
        this.reservation = reservation;
        this.accounting = accounting;
        this.ledgerIdentifier = planned.estimate().identifier();
        this.owner = CallOwner.of(ledgerIdentifier, planned.estimate().chain());
    }

    /** Returns what was booked; null before the end of the call, and if it was released. */
    BookedCall settlement() {
        return settlement;
    }

    void bookFor(String identifier, IdentityChain chain) {
        ledgerIdentifier = identifier;
        owner = CallOwner.of(identifier, chain);
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
                finish(TokenUsage.NONE, planned.estimate().details().withImages(extractor.images()), extractor.model(), false);
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
        var bill = accounting.bill(planned.reserved(), usage, details, responseModel, estimated);
        var settled = new BookedCall(bill.usage(), responseModel, bill.cost().picodollars());
        if (finished.compareAndSet(false, true)) {
            slot.release();
            settlement = settled;
            accounting.settle(planned.windows().identifiers(), reservation,
                    planned.windows().units(bill.usage(), bill.nanodollars()), planned.underReserved());
            long outputSample = planned.uncapped() == null ? -1 : planned.uncapped().end(bill.usage(), bill.estimated());
            accounting.book(planned.estimate().provider(), ledgerIdentifier, owner, model, bill, outputSample);
        }
    }

    /** Leaves the end of the call to a later settlement of its reservation. */
    void detach() {
        slot.release();
        if (reservation == null) {
            planned.cancel(); // nothing will end it
        } else {
            accounting.detach(reservation, planned);
        }
    }

    /** Ends the call without settling it; empty if it has ended already. It goes on to reserve less than it may cost. */
    Optional<DeferredCall> defer() {
        if (!finished.compareAndSet(false, true)) {
            return Optional.empty();
        }
        planned.cancelOutput();
        detach();
        var estimate = planned.estimate();
        return Optional.of(new DeferredCall(estimate.provider(), planned.windows(), ledgerIdentifier, estimate.model(),
                planned.usage(), estimate.details(), reservation, owner));
    }

    /** Releases the reservation. Nothing is booked. */
    void release(boolean rateLimited) {
        if (finished.compareAndSet(false, true)) {
            slot.release();
            accounting.settle(planned.windows().identifiers(), reservation, planned.windows().units(TokenUsage.NONE, 0), () -> {
            });
            planned.cancel();
            accounting.countFailure(planned.estimate().provider(), owner, planned.price(), rateLimited);
        }
    }
}
