package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How one quota stands after a decision.
 *
 * @param resource whose window it is
 * @param unit what is counted
 * @param limit units per window; 0 for {@link Rate#BLOCKED}
 * @param window its length; zero for {@link Rate#BLOCKED}
 * @param remaining units that still fit, from 0 to {@code limit}
 * @param resetAt when more quota is there: the next unit's end, or the time of the decision where nothing is used; null for
 *        {@link Rate#BLOCKED}
 * @param denied whether this quota refused, or in a dry run would have
 * @param retryAt when the refused cost fits if nobody else takes of it; null where it was not refused or never fits
 */
public record QuotaStatus(String resource, QuotaUnit unit, long limit, Duration window, long remaining, Instant resetAt,
        boolean denied, Instant retryAt) {

    static QuotaStatus unused(ResourceCheck demand, Quota quota, Instant now) {
        return new QuotaStatus(demand.resource(), quota.unit(), quota.limit(), quota.window(), quota.limit(), now, false, null);
    }

    static QuotaStatus blocked(String resource) {
        return new QuotaStatus(resource, QuotaUnit.REQUESTS, 0, Duration.ZERO, 0, null, true, null);
    }

    public Optional<Instant> retry() {
        return Optional.ofNullable(retryAt);
    }
}
