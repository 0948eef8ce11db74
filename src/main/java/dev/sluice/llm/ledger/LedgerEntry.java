package dev.sluice.llm.ledger;

import java.util.List;

import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * One LLM call in the ledger.
 *
 * @param identifier the caller's identifier, as stored
 * @param provider the provider's id
 * @param model the model's name, which is {@linkplain ModelPattern#normalize normalized}; empty if it is not known
 * @param usage the tokens used
 * @param picodollars the cost in 10⁻¹² US dollars; negative if the model has no price
 * @param estimated whether the usage is estimated, not reported by the provider
 * @param requestId idempotency key: entries with the same key are booked once per identifier and provider; null if there
 * is none
 * @param outputSample output tokens that count in the histogram of the model's outputs; negative if they do not
 * @param parts the parts of the cost, which sum to it; empty if they are not known
 * @param owner key, user, team and organisation of the caller
 */
public record LedgerEntry(String identifier, String provider, String model, TokenUsage usage, long picodollars,
        boolean estimated, String requestId, long outputSample, List<CostParts.Part> parts, CallOwner owner) {

    public LedgerEntry {
        model = ModelPattern.normalize(model);
    }

    /** Creates an entry of a caller without a chain. */
    LedgerEntry(String identifier, String provider, String model, TokenUsage usage, long picodollars, boolean estimated,
            String requestId, long outputSample, List<CostParts.Part> parts) {
        this(identifier, provider, model, usage, picodollars, estimated, requestId, outputSample, parts,
                CallOwner.of(identifier));
    }

    /** Creates an entry of which, further, the parts of the cost are not known. */
    LedgerEntry(String identifier, String provider, String model, TokenUsage usage, long picodollars, boolean estimated,
            String requestId, long outputSample) {
        this(identifier, provider, model, usage, picodollars, estimated, requestId, outputSample, List.of());
    }

    /** Creates an entry that, further, does not count in the histogram of the model's outputs. */
    LedgerEntry(String identifier, String provider, String model, TokenUsage usage, long picodollars, boolean estimated,
            String requestId) {
        this(identifier, provider, model, usage, picodollars, estimated, requestId, -1);
    }
}
