package dev.sluice.llm.limit;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.LedgerEntry;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import io.smallrye.mutiny.Uni;

/** Writes the end of a call to the windows, the ledger and the metrics. */
final class CallAccounting {

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
        return policy.price(provider, model, LocalDate.now(ZoneOffset.UTC));
    }

    /**
     * Returns the cost of a call: of each iteration at the price of its model, if the response lists them.
     *
     * @param price price of the model that has answered, and of iterations without a model or price of their own
     */
    CostParts cost(Provider provider, ModelPrice price, TokenUsage usage, UsageDetails details) {
        if (details.iterations().isEmpty()) {
            return price.cost(usage, details);
        }
        var cost = price.cost(TokenUsage.NONE, details);
        for (var iteration : details.iterations()) {
            var own = iteration.model() == null ? null : findPrice(provider, iteration.model());
            cost = cost.plus((own == null || !own.covers(iteration.usage(), UsageDetails.NONE) ? price : own)
                    .cost(iteration.usage(), details.of(iteration)));
        }
        return cost;
    }

    /**
     * Settles a reservation in the background.
     *
     * @param reservation null if there is none
     * @param afterAttempt runs when the windows have been corrected, or could not be at the first attempt
     */
    void settle(String identifier, String reservation, Map<String, Long> usageByResource, Runnable afterAttempt) {
        if (reservation == null) {
            afterAttempt.run();
        } else {
            settlements.settle(identifier, reservation, usageByResource, afterAttempt);
        }
    }

    /** Leaves the end of a call to a later settlement of its reservation. */
    void detach(String reservation, PlannedCall call) {
        detachedCalls.add(reservation, call);
    }

    /** Settles the reservation of a call that may have been detached, as {@link #settle}. */
    void settleDetached(String identifier, String reservation, Map<String, Long> usageByResource) {
        settle(identifier, reservation, usageByResource, () -> detachedCalls.end(reservation));
    }

    /** Completes when all entries booked for an identifier so far have been written, or cannot be written now. */
    Uni<Void> awaitWritten(String identifier) {
        return ledger.awaitWritten(identifier);
    }

    /**
     * @param cost the cost; negative if the model has no price
     * @param outputSample output tokens that count in the histogram of the model's outputs; negative if they do not
     */
    Uni<Void> book(Provider provider, String identifier, String model, TokenUsage usage, ModelPrice price, CostParts cost,
            boolean estimated, String requestId, long outputSample) {
        var entry = new LedgerEntry(identifier, provider.id(), model, usage, cost.picodollars(), estimated, requestId,
                outputSample, cost.parts());
        return ledger.book(entry).map(isNew -> {
            if (isNew) {
                metrics.countSuccess(provider, nameOf(price), usage, cost, estimated);
            }
            return null;
        });
    }

    void countFailure(Provider provider, ModelPrice price, boolean rateLimited) {
        metrics.countFailure(provider, nameOf(price), rateLimited ? LlmMetrics.Outcome.limited : LlmMetrics.Outcome.error);
    }

    /** @param priceName null if the model has no price */
    void countDenial(Provider provider, String priceName) {
        metrics.countFailure(provider, priceName, LlmMetrics.Outcome.denied);
    }

    private static String nameOf(ModelPrice price) {
        return price == null ? null : price.name();
    }
}
