package dev.sluice.api;

/**
 * Receives every decision, for example for metrics. Implementations are CDI beans. The methods are called on the thread that
 * completes the decision, often an event loop: they must neither block nor throw.
 */
public interface DecisionListener {

    /**
     * Receives one decision.
     *
     * @param request the request that was decided
     * @param decision the result
     * @param durationNanos time that the decision took, in nanoseconds
     */
    void onDecision(RateLimitRequest request, Decision decision, long durationNanos);

    /**
     * Receives one failure: the request could not be decided.
     *
     * @param request the request
     * @param mode where the decision should have been made
     * @param durationNanos time until the failure, in nanoseconds
     */
    default void onFailure(RateLimitRequest request, DecisionMode mode, long durationNanos) {
    }
}
