package dev.sluice.api;

/** Receives every decision, for example for metrics. Implementations are CDI beans. */
public interface DecisionListener {

    /**
     * Receives one decision or failure. Called on the thread that completes the decision, often an event loop: must neither
     * block nor throw.
     *
     * @param request the request that was decided
     * @param decision the result; null if the decision failed
     * @param mode where the decision was made
     * @param durationNanos time that the decision took, in nanoseconds
     */
    void onDecision(RateLimitRequest request, Decision decision, DecisionMode mode, long durationNanos);
}
