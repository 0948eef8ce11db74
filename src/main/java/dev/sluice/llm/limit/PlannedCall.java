package dev.sluice.llm.limit;

import java.util.List;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * LLM call for which a decision is requested.
 *
 * @param estimate the call as requested
 * @param price the model's price; null if it has none
 * @param usage the estimated usage, for which tokens are reserved
 * @param requests the requests to the rate limiter: that of the rules, and those of the caller's levels
 * @param windows the windows that reserve tokens and budget
 * @param unpriced whether the call is denied because its model has no price and a budget applies
 * @param forbidden whether the call is denied because the caller may not call its model
 * @param uncapped observes the output if tokens or a budget limit a call that sets no maximum; otherwise null
 * @param underReserved ends the call among those that reserve less budget than they may use; without effect if it reserves all
 */
record PlannedCall(LlmCallEstimate estimate, ModelPrice price, TokenUsage usage, List<RateLimitRequest> requests,
        ReservedWindows windows, boolean unpriced, boolean forbidden, ModelOutputs.Call uncapped, Runnable underReserved) {

    /** End of a call that reserves all that it may cost. */
    static final Runnable NOT_UNDER_RESERVED = () -> {
    };

    /** Returns whether the call is one of those in flight that reserve less than they may use, or may be. */
    boolean isCountedInFlight() {
        return uncapped != null || underReserved != NOT_UNDER_RESERVED;
    }

    /** Returns the name of the model's price; null if it has none. */
    String priceName() {
        return price == null ? null : price.name();
    }

    /** Returns what is reserved for the call. */
    ReservedUsage reserved() {
        return new ReservedUsage(estimate.provider(), estimate.model(), price, usage, estimate.details());
    }

    /** Ends the call without usage: it was denied or has failed. */
    void cancel() {
        cancelOutput();
        underReserved.run();
    }

    /** Ends the observation of the call's output without an output. */
    void cancelOutput() {
        if (uncapped != null) {
            uncapped.cancel();
        }
    }
}
