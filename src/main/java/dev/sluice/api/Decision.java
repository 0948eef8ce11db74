package dev.sluice.api;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Result of a {@link RateLimitRequest}. Immutable.
 *
 * @param allowed whether the request may proceed
 * @param denied whether a quota was exceeded; equals {@code !allowed}, except in a dry run, which allows every request, and where only
 *        {@linkplain QuotaStatus#shadow() shadow} quotas are exceeded
 * @param mode where the decision was made
 * @param decidedAt time of the decision, by the clock of the deciding store
 * @param quotas status of every quota that applied, in the order of the request's checks; empty if none applied
 *        ({@link Rate#UNLIMITED})
 * @param reservation token for {@link RateLimiter#settle}; empty if nothing was reserved
 * @param slot the slots of concurrency limits that the request holds, to be released when it ends; {@link ConcurrencySlot#NONE} if
 *        none
 */
public record Decision(boolean allowed, boolean denied, DecisionMode mode, Instant decidedAt, List<QuotaStatus> quotas,
        Optional<String> reservation, ConcurrencySlot slot) {

    private static final Comparator<QuotaStatus> MOST_RESTRICTIVE_FIRST = (one, other) -> {
        int order = Boolean.compare(other.denied(), one.denied());
        if (order == 0) {
            order = one.denied()
                    ? Long.compare(retryMicros(other), retryMicros(one))
                    : Long.compare(one.remaining(), other.remaining());
        }
        return order == 0 ? other.window().compareTo(one.window()) : order;
    };

    private static final List<String> UNLIMITED_FIELDS = List.of("limit", "remaining", "window_seconds", "reset_at");

    public Decision {
        quotas = List.copyOf(quotas);
    }

    /** Creates a decision that holds no slots. */
    public Decision(boolean allowed, boolean denied, DecisionMode mode, Instant decidedAt, List<QuotaStatus> quotas,
            Optional<String> reservation) {
        this(allowed, denied, mode, decidedAt, quotas, reservation, ConcurrencySlot.NONE);
    }

    /** Creates a decision without a reservation that holds no slots. */
    public Decision(boolean allowed, boolean denied, DecisionMode mode, Instant decidedAt, List<QuotaStatus> quotas) {
        this(allowed, denied, mode, decidedAt, quotas, Optional.empty());
    }

    /**
     * Creates a decision that allows the request without counting it: every quota is reported as unused.
     *
     * @param request the request to allow
     * @param mode where the decision was made
     * @param now time of the decision
     */
    public static Decision uncounted(RateLimitRequest request, DecisionMode mode, Instant now) {
        return uncounted(List.of(request), mode, now);
    }

    /**
     * Creates a decision that allows requests without counting them: every quota is reported as unused.
     *
     * @param requests the requests to allow
     * @param mode where the decision was made
     * @param now time of the decision
     */
    public static Decision uncounted(List<RateLimitRequest> requests, DecisionMode mode, Instant now) {
        var quotas = new ArrayList<QuotaStatus>();
        for (var request : requests) {
            for (var check : request.checks()) {
                for (var quota : check.rate().quotas()) {
                    var unused = QuotaStatus.unused(request.identifier(), check, quota, now);
                    quotas.add(request.shadow() ? unused.asShadow() : unused);
                }
            }
        }
        return new Decision(true, false, mode, now, quotas);
    }

    /**
     * Creates the denial of a request that has a check with {@link Rate#BLOCKED}; a {@linkplain RateLimitRequest#shadow() shadow}
     * request is allowed.
     *
     * @param request the request to deny
     * @param mode where the decision was made
     * @param now time of the decision
     */
    public static Decision blocked(RateLimitRequest request, DecisionMode mode, Instant now) {
        var quotas = request.checks().stream().filter(check -> check.rate() == Rate.BLOCKED)
                .map(check -> QuotaStatus.blocked(request.identifier(), check.resource()))
                .map(quota -> request.shadow() ? quota.asShadow() : quota).toList();
        return new Decision(request.shadow(), true, mode, now, quotas);
    }

    /**
     * Returns a copy with further quotas.
     *
     * @param further the status of the quotas
     */
    public Decision with(List<QuotaStatus> further) {
        var all = new ArrayList<>(quotas);
        all.addAll(further);
        return new Decision(allowed, denied || further.stream().anyMatch(QuotaStatus::denied), mode, decidedAt, all,
                reservation, slot);
    }

    /**
     * Returns the decision on some of the quotas.
     *
     * @param included selects the quotas
     */
    public Decision on(Predicate<QuotaStatus> included) {
        var some = quotas.stream().filter(included).toList();
        return new Decision(allowed, some.stream().anyMatch(QuotaStatus::denied), mode, decidedAt, some, reservation, slot);
    }

    /**
     * Returns a copy with the given reservation token.
     *
     * @param token token for {@link RateLimiter#settle}
     */
    public Decision withReservation(String token) {
        return new Decision(allowed, denied, mode, decidedAt, quotas, Optional.of(token), slot);
    }

    /**
     * Returns a copy that holds the given slots.
     *
     * @param held the slots
     */
    public Decision withSlot(ConcurrencySlot held) {
        return new Decision(allowed, denied, mode, decidedAt, quotas, reservation, held);
    }

    /** Returns a copy that allows the request; {@link #denied()} still reports what the quotas say. */
    public Decision asDryRun() {
        return new Decision(true, denied, mode, decidedAt, quotas, reservation, slot);
    }

    /**
     * Returns the most restrictive quota: among exceeded quotas the one with the longest wait, otherwise the one with the
     * fewest units remaining. Quotas of different units are compared by the remaining share of their limits. Shadow quotas count
     * only if there are no others, and so do limits of the requests in flight that were not exceeded.
     *
     * @return the quota that {@code X-RateLimit-Limit} and its siblings report; empty if no quota applied
     */
    public Optional<QuotaStatus> mostRestrictive() {
        var effective = withoutFreeSlots(effective());
        @Nullable
        QuotaStatus first = null;
        boolean severalUnits = false;
        for (var quota : effective) {
            severalUnits |= first != null && quota.unit() != first.unit();
            if (first == null || MOST_RESTRICTIVE_FIRST.compare(quota, first) < 0) {
                first = quota;
            }
        }
        if (first == null || first.denied() || !severalUnits) {
            return Optional.ofNullable(first);
        }
        return Arrays.stream(QuotaUnit.values())
                .flatMap(unit -> effective.stream().filter(quota -> quota.unit() == unit).min(MOST_RESTRICTIVE_FIRST).stream())
                .min(Comparator.comparingDouble(quota -> (double) quota.remaining() / quota.limit()));
    }

    /** Returns the quotas that can deny a request; all quotas if there is none. */
    private List<QuotaStatus> effective() {
        for (var quota : quotas) {
            if (quota.shadow()) {
                var enforced = quotas.stream().filter(each -> !each.shadow()).toList();
                return enforced.isEmpty() ? quotas : enforced;
            }
        }
        return quotas;
    }

    /** Returns the quotas without those of requests in flight that have free slots; all quotas if there is no other. */
    private static List<QuotaStatus> withoutFreeSlots(List<QuotaStatus> quotas) {
        for (var quota : quotas) {
            if (quota.isConcurrency() && !quota.denied()) {
                var others = quotas.stream().filter(each -> !each.isConcurrency() || each.denied()).toList();
                return others.isEmpty() ? quotas : others;
            }
        }
        return quotas;
    }

    /**
     * Returns how long to wait until the denied cost fits in every quota, provided that nothing else is counted meanwhile.
     *
     * @return a positive duration; empty if no quota was exceeded, or if the cost never fits
     */
    public Optional<Duration> retryAfter() {
        @Nullable
        Instant latest = null;
        for (var quota : effective()) {
            if (quota.denied()) {
                if (quota.retryAt().isEmpty()) {
                    return Optional.empty();
                }
                var retryAt = quota.retryAt().get();
                latest = latest == null || retryAt.isAfter(latest) ? retryAt : latest;
            }
        }
        return latest == null ? Optional.empty() : Optional.of(Duration.between(decidedAt, latest));
    }

    /**
     * Returns the JSON form. Jackson uses it. The fields are those of the response to {@code POST /v1/check}, of the
     * {@linkplain #mostRestrictive() most restrictive} quota, and the mode and all quotas.
     *
     * @return {@code allowed}, {@code limit}, {@code remaining}, {@code window_seconds}, {@code reset_at},
     *         {@code unit} unless it is {@code requests}, {@code retry_after}, {@code reservation} if there is one, {@code mode}, {@code quotas}. Times
     *         are Unix seconds, rounded up; what does not apply is null
     */
    @JsonValue
    public Map<String, @Nullable Object> toMap() {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields.put("allowed", allowed);
        mostRestrictive().ifPresentOrElse(status -> status.putUsage(fields),
                () -> UNLIMITED_FIELDS.forEach(name -> fields.put(name, null)));
        fields.put("retry_after", allowed ? Long.valueOf(0) : waitSeconds(retryAfter()));
        reservation.ifPresent(token -> fields.put("reservation", token));
        fields.put("mode", mode.value());
        fields.put("quotas", quotas.stream().map(QuotaStatus::toMap).toList());
        return fields;
    }

    /** Returns the seconds to wait, rounded up, at least 1; null if waiting does not help. */
    private static @Nullable Long waitSeconds(Optional<Duration> wait) {
        return wait.map(duration -> Math.max(1, duration.plusNanos(999_999_999).toSeconds())).orElse(null);
    }

    private static long retryMicros(QuotaStatus quota) {
        return quota.retryAt().map(retry -> retry.getEpochSecond() * 1_000_000 + retry.getNano() / 1000).orElse(Long.MAX_VALUE);
    }
}
