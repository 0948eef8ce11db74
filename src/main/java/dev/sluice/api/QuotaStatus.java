package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * State of one quota after a decision.
 *
 * @param resource name of the resource
 * @param unit unit of the limit
 * @param limit maximum number of units per window; 0 for {@link Rate#BLOCKED}
 * @param window length of the window; zero for {@link Rate#BLOCKED}
 * @param remaining units that are left, from 0 to {@code limit}
 * @param resetAt when the next unit becomes available again: the time at which the oldest counted unit leaves the window, or
 *        the time of the decision if nothing is counted; empty for {@link Rate#BLOCKED}
 * @param denied whether this quota was exceeded; set in a dry run, too
 * @param retryAt when the denied cost fits, provided that nothing else is counted meanwhile; empty if the quota was not
 *        exceeded, or if the cost never fits
 */
public record QuotaStatus(String resource, QuotaUnit unit, long limit, Duration window, long remaining,
        Optional<Instant> resetAt, boolean denied, Optional<Instant> retryAt) {

    static QuotaStatus unused(ResourceCheck check, Quota quota, Instant now) {
        return new QuotaStatus(check.resource(), quota.unit(), quota.limit(), quota.window(), quota.limit(),
                Optional.of(now), false, Optional.empty());
    }

    static QuotaStatus blocked(String resource) {
        return new QuotaStatus(resource, QuotaUnit.REQUESTS, 0, Duration.ZERO, 0, Optional.empty(), true, Optional.empty());
    }
}
