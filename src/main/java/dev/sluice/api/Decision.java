package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The answer to a {@link RateLimitRequest}.
 *
 * @param allowed whether the request may go ahead
 * @param denied whether a quota refused; differs from {@code !allowed} only in a dry run, where nothing is refused
 * @param mode where it was decided
 * @param decidedAt the deciding clock's time
 * @param quotas every quota that governed, in the order of the demands; empty where nothing did ({@link Rate#UNLIMITED})
 * @param reservation what {@link RateLimiter#settle} asks for; null where nothing was reserved
 */
public record Decision(boolean allowed, boolean denied, DecisionMode mode, Instant decidedAt, List<QuotaStatus> quotas,
        String reservation) {

    private static final Comparator<QuotaStatus> CLOSEST_FIRST = Comparator
            .comparing((QuotaStatus quota) -> !quota.denied())
            .thenComparing(quota -> quota.denied() ? -patience(quota) : quota.remaining())
            .thenComparing(QuotaStatus::window, Comparator.reverseOrder());

    public Decision {
        quotas = List.copyOf(quotas);
    }

    public Decision(boolean allowed, boolean denied, DecisionMode mode, Instant decidedAt, List<QuotaStatus> quotas) {
        this(allowed, denied, mode, decidedAt, quotas, null);
    }

    /** Everything allowed and nothing used: the answer where nothing is counted. */
    public static Decision uncounted(RateLimitRequest request, DecisionMode mode, Instant now) {
        var quotas = request.checks().stream()
                .flatMap(demand -> demand.rate().quotas().stream().map(quota -> QuotaStatus.unused(demand, quota, now)))
                .toList();
        return new Decision(true, false, mode, now, quotas);
    }

    /** The refusal of a request one of whose demands is {@link Rate#BLOCKED}. */
    public static Decision blocked(RateLimitRequest request, DecisionMode mode, Instant now) {
        var quotas = request.checks().stream().filter(demand -> demand.rate() == Rate.BLOCKED)
                .map(demand -> QuotaStatus.blocked(demand.resource())).toList();
        return new Decision(false, true, mode, now, quotas);
    }

    /** The same, with something to settle. */
    public Decision withReservation(String name) {
        return new Decision(allowed, denied, mode, decidedAt, quotas, name);
    }

    /** The same, with nothing refused. */
    public Decision asDryRun() {
        return new Decision(true, denied, mode, decidedAt, quotas, reservation);
    }

    /** Both together: allowed if both are, with the quotas of both. */
    Decision combineWith(Decision other) {
        var all = new ArrayList<>(quotas);
        all.addAll(other.quotas);
        return new Decision(allowed && other.allowed, denied || other.denied, mode.isOutage() ? mode : other.mode, other.decidedAt, all,
                reservation == null ? other.reservation : reservation);
    }

    /**
     * The quota closest to its end: of those that refused the one that does so longest, otherwise the one with the fewest
     * units remaining; between different units, with the smallest part of its limit remaining. Empty where nothing governed.
     */
    public Optional<QuotaStatus> mostRestrictive() {
        if (quotas.size() == 1) {
            return Optional.of(quotas.get(0));
        }
        if (quotas.stream().anyMatch(QuotaStatus::denied)) {
            return quotas.stream().min(CLOSEST_FIRST);
        }
        return Arrays.stream(QuotaUnit.values())
                .flatMap(unit -> quotas.stream().filter(quota -> quota.unit() == unit).min(CLOSEST_FIRST).stream())
                .min(Comparator.comparingDouble(quota -> (double) quota.remaining() / quota.limit()));
    }

    /** How long to wait until the refused cost fits in every quota; empty where it was not refused or never will. */
    public Optional<Duration> retryAfter() {
        Instant latest = null;
        for (var quota : quotas) {
            if (quota.denied()) {
                if (quota.retryAt() == null) {
                    return Optional.empty();
                }
                latest = latest == null || quota.retryAt().isAfter(latest) ? quota.retryAt() : latest;
            }
        }
        return latest == null ? Optional.empty() : Optional.of(Duration.between(decidedAt, latest));
    }

    private static long patience(QuotaStatus quota) {
        return quota.retry().map(retry -> retry.getEpochSecond() * 1_000_000 + retry.getNano() / 1000).orElse(Long.MAX_VALUE);
    }
}
