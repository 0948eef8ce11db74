package dev.sluice.llm.limit;

import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.LedgerEntry;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.settlement.SettlementQueue;
import io.smallrye.mutiny.Uni;

/** Writes the end of a call to the windows, the ledger and the metrics. */
final class CallAccounting {

    /** Model of a tool whose own has no price. */
    private static final String IMAGE_MODEL = "gpt-image-1";

    private static final long MILLIS_PER_DAY = Duration.ofDays(1).toMillis();

    private final Ledger ledger;
    private final LlmMetrics metrics;
    private final SettlementQueue settlements;
    private final CurrentLlmPolicy policy;
    private final DetachedCalls detachedCalls = new DetachedCalls();
    private final long maxInflatedBytes;

    CallAccounting(Ledger ledger, LlmMetrics metrics, SettlementQueue settlements, CurrentLlmPolicy policy,
            long maxInflatedBytes) {
        this.maxInflatedBytes = maxInflatedBytes;
        this.policy = policy;
        this.ledger = ledger;
        this.metrics = metrics;
        this.settlements = settlements;
    }

    /** Returns the size up to which a compressed response is inflated for its usage, whatever its ratio. */
    long maxInflatedBytes() {
        return maxInflatedBytes;
    }

    /** Returns today's price (UTC); null if the model has none. */
    ModelPrice findPrice(Provider provider, String model) {
        return policy.price(provider, model, LocalDate.ofEpochDay(System.currentTimeMillis() / MILLIS_PER_DAY));
    }

    /**
     * Returns what is booked for a call: its usage at the price of the model that has answered, or of the requested one if that has
     * a configured price or the other is not known. Of usage without a price, what was reserved is booked instead.
     *
     * @param reserved what was reserved for the call
     * @param usage the tokens of the call
     * @param details what else determines the cost
     * @param responseModel the model that has answered; null if it is not known
     * @param estimated whether the usage is an estimate
     */
    Bill bill(ReservedUsage reserved, TokenUsage usage, UsageDetails details, String responseModel, boolean estimated) {
        var answered = reserved.isBilledAs(responseModel) ? findPrice(reserved.provider(), responseModel) : null;
        var price = answered == null ? reserved.price() : answered;
        if (price != null && !price.covers(usage, details)) {
            if (!estimated && reserved.price() != null) {
                return bill(reserved, reserved.usage(), reserved.details(), responseModel, true);
            }
            price = reserved.price();
        }
        if (price == null) {
            return new Bill(usage, null, CostParts.unpriced(details.quantities()).withReported(details.reportedPicodollars()),
                    estimated);
        }
        var cost = cost(reserved.provider(), price, usage, price.isConfigured() ? details.ofRequestedModel() : details);
        return new Bill(usage, price, cost.withReported(details.reportedPicodollars()), estimated);
    }

    /**
     * Returns the cost of a call: of each iteration at the price of its model, if the response lists them.
     *
     * @param price price of the model that has answered, and of iterations without a model or price of their own
     */
    private CostParts cost(Provider provider, ModelPrice price, TokenUsage usage, UsageDetails details) {
        if (details.iterations().isEmpty()) {
            return price.cost(usage, details);
        }
        var cost = price.cost(TokenUsage.NONE, details);
        for (var iteration : details.iterations()) {
            var own = iteration.model() == null ? null : findPrice(provider, iteration.model());
            if (own == null && iteration.tool()) { // of a model that is not known yet: rather too dear
                own = findPrice(provider, IMAGE_MODEL);
            }
            cost = cost.plus((own == null || !own.covers(iteration.usage(), UsageDetails.NONE) ? price : own)
                    .cost(iteration.usage(), details.of(iteration)));
        }
        return cost;
    }

    /**
     * Settles a reservation in the background.
     *
     * @param identifiers identifiers of its windows, one or more
     * @param reservation null if there is none
     * @param afterAttempt runs when the windows have been corrected, or could not be at the first attempt
     */
    void settle(List<String> identifiers, String reservation, Map<String, Long> usageByResource, Runnable afterAttempt) {
        if (reservation == null) {
            afterAttempt.run();
            return;
        }
        var remaining = new AtomicInteger(identifiers.size());
        identifiers.forEach(identifier -> settlements.settle(identifier, reservation, usageByResource, () -> {
            if (remaining.decrementAndGet() == 0) {
                afterAttempt.run();
            }
        }));
    }

    /** Leaves the end of a call to a later settlement of its reservation. */
    void detach(String reservation, PlannedCall call) {
        detachedCalls.add(reservation, call);
    }

    /** Settles the reservation of a call that may have been detached, as {@link #settle}. */
    void settleDetached(List<String> identifiers, String reservation, Map<String, Long> usageByResource) {
        settle(identifiers, reservation, usageByResource, () -> detachedCalls.end(reservation));
    }

    /** Completes when all entries booked for an identifier so far have been written, or cannot be written now. */
    Uni<Void> awaitWritten(String identifier) {
        return ledger.awaitWritten(identifier);
    }

    /**
     * Books a call that ends once.
     *
     * @param outputSample output tokens that count in the histogram of the model's outputs; negative if they do not
     */
    void book(Provider provider, String identifier, CallOwner owner, String model, Bill bill, long outputSample) {
        ledger.add(entry(provider, identifier, owner, model, bill, null, outputSample));
        countSuccess(provider, owner, bill);
    }

    /**
     * Books a call that may be reported repeatedly.
     *
     * @param requestId idempotency key of the call; null if there is none
     * @param outputSample output tokens that count in the histogram of the model's outputs; negative if they do not
     * @param onNewLater called if it turns out later that it was not booked before, after that could not be determined
     * @return whether it was not booked before; false if that cannot be determined now
     */
    Uni<Boolean> bookOnce(Provider provider, String identifier, CallOwner owner, String model, Bill bill, String requestId,
            long outputSample, Runnable onNewLater) {
        var entry = entry(provider, identifier, owner, model, bill, requestId, outputSample);
        return ledger.book(entry, isNew -> {
            if (isNew) {
                countSuccess(provider, owner, bill);
                onNewLater.run();
            }
        }).map(isNew -> {
            if (isNew == null || !isNew) {
                return false;
            }
            countSuccess(provider, owner, bill);
            return true;
        });
    }

    private static LedgerEntry entry(Provider provider, String identifier, CallOwner owner, String model, Bill bill,
            String requestId, long outputSample) {
        return new LedgerEntry(identifier, provider.id(), model, bill.usage(), bill.cost().picodollars(), bill.estimated(),
                requestId, outputSample, bill.cost().parts(), owner);
    }

    private void countSuccess(Provider provider, CallOwner owner, Bill bill) {
        metrics.countSuccess(provider, owner, nameOf(bill.price()), bill.usage(), bill.cost(), bill.estimated());
    }

    void countFailure(Provider provider, CallOwner owner, ModelPrice price, boolean rateLimited) {
        metrics.countFailure(provider, owner, nameOf(price),
                rateLimited ? LlmMetrics.Outcome.limited : LlmMetrics.Outcome.error);
    }

    /** @param priceName null if the model has no price */
    void countDenial(Provider provider, CallOwner owner, String priceName) {
        metrics.countFailure(provider, owner, priceName, LlmMetrics.Outcome.denied);
    }

    private static String nameOf(ModelPrice price) {
        return price == null ? null : price.name();
    }
}
