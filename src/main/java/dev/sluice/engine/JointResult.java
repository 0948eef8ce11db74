package dev.sluice.engine;

import java.time.Instant;
import java.util.List;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;

/**
 * Result of a decision of the {@link JointLimiter}.
 *
 * @param allowed whether the request may proceed
 * @param mode where the decision was made
 * @param decidedAt time of the decision, by the clock of the deciding store
 * @param quotas status of every quota of each part, in the order of the request. A quota that is exceeded is denied, also where its
 *        enforcement lets the request proceed
 */
public record JointResult(boolean allowed, DecisionMode mode, Instant decidedAt, List<List<QuotaStatus>> quotas) {

    /**
     * Returns the decision on one part.
     *
     * @param allows whether it allows the request
     */
    public Decision decision(int part, boolean allows) {
        boolean denied = false;
        for (var quota : quotas.get(part)) {
            denied |= quota.denied();
        }
        return new Decision(allows, denied, mode, decidedAt, quotas.get(part));
    }
}
