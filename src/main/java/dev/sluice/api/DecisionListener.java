package dev.sluice.api;

/** Hears of every decision, on the thread that made it: it must neither block nor throw. */
public interface DecisionListener {

    /**
     * @param request what was asked
     * @param decision what was answered; null where it failed
     * @param mode where it was decided
     * @param nanos how long that took
     */
    void onDecision(RateLimitRequest request, Decision decision, DecisionMode mode, long nanos);
}
