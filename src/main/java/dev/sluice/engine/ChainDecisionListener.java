package dev.sluice.engine;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.identity.chain.IdentityChain;

/** Listener for decisions with the chain of the caller. Internal. */
public interface ChainDecisionListener extends DecisionListener {

    /**
     * Called after each decision instead of {@link #onDecision(RateLimitRequest, Decision, long)}, if the chain is known.
     *
     * @param chain {@link IdentityChain#NONE} if there is none
     */
    void onDecision(RateLimitRequest request, IdentityChain chain, Decision decision, long nanos);

    /** Called instead of {@link #onFailure(RateLimitRequest, DecisionMode, long)}, if the chain is known. */
    void onFailure(RateLimitRequest request, IdentityChain chain, DecisionMode mode, long nanos);

    @Override
    default void onDecision(RateLimitRequest request, Decision decision, long nanos) {
        onDecision(request, IdentityChain.NONE, decision, nanos);
    }

    @Override
    default void onFailure(RateLimitRequest request, DecisionMode mode, long nanos) {
        onFailure(request, IdentityChain.NONE, mode, nanos);
    }
}
