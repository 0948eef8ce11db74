package dev.sluice.http;

import java.time.Duration;
import java.util.function.BiConsumer;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.config.ConfigProblems;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/**
 * Writes decisions to response headers: {@code X-RateLimit-*} and the fields of draft-ietf-httpapi-ratelimit-headers-10, as
 * selected by {@code rate-limit.headers}.
 */
@Singleton
public class RateLimitHeaders {

    public static final String LIMIT = "X-RateLimit-Limit";
    public static final String REMAINING = "X-RateLimit-Remaining";
    public static final String RESET = "X-RateLimit-Reset";
    public static final String MODE = "X-RateLimit-Mode";
    public static final String DRY_RUN = "X-RateLimit-Dry-Run";
    public static final String POLICY = "RateLimit-Policy";
    public static final String RATE_LIMIT = "RateLimit";
    public static final String RETRY_AFTER = "Retry-After";

    private static final CharSequence MODE_FIELD = HttpHeaders.createOptimized(MODE);
    private static final CharSequence DRY_RUN_FIELD = HttpHeaders.createOptimized(DRY_RUN);
    private static final CharSequence RETRY_AFTER_FIELD = HttpHeaders.createOptimized(RETRY_AFTER);
    private static final CharSequence LIMIT_FIELD = HttpHeaders.createOptimized(LIMIT);
    private static final CharSequence REMAINING_FIELD = HttpHeaders.createOptimized(REMAINING);
    private static final CharSequence RESET_FIELD = HttpHeaders.createOptimized(RESET);
    private static final CharSequence POLICY_FIELD = HttpHeaders.createOptimized(POLICY);
    private static final CharSequence RATE_LIMIT_FIELD = HttpHeaders.createOptimized(RATE_LIMIT);

    private final String configured;
    private final HeaderSet headerSet;

    @Inject
    RateLimitHeaders(HttpConfig config) {
        this.configured = config.headers();
        this.headerSet = HeaderSet.fromName(configured).orElse(HeaderSet.ALL);
    }

    /** Creates an instance that writes all headers, regardless of the configuration. */
    public RateLimitHeaders() {
        this.configured = HeaderSet.ALL.name();
        this.headerSet = HeaderSet.ALL;
    }

    void validate(@Observes ConfigProblems problems) {
        if (HeaderSet.fromName(configured).isEmpty()) {
            problems.add("rate-limit.headers", configured, HeaderSet.ALLOWED_VALUES);
        }
    }

    /**
     * Writes a decision to headers. Writes nothing if rate limiting is disabled.
     *
     * @param headers headers of the response
     * @param decision the decision to report
     */
    public void write(MultiMap headers, Decision decision) {
        write(decision, headers::set);
    }

    /**
     * Writes a decision to the fields of a response of another protocol, each of them once. Writes nothing if rate limiting is
     * disabled.
     *
     * @param decision the decision to report
     * @param fields receives the name and the value of each field
     */
    public void write(Decision decision, BiConsumer<CharSequence, String> fields) {
        if (decision.mode() == DecisionMode.OFF) {
            return;
        }
        if (decision.mode() == DecisionMode.LOCAL || decision.mode() == DecisionMode.OPEN) {
            fields.accept(MODE_FIELD, decision.mode().value());
        }
        if (decision.allowed() && decision.denied()) {
            fields.accept(DRY_RUN_FIELD, "denied");
        }
        if (headerSet != HeaderSet.NONE && !decision.quotas().isEmpty()) {
            writeQuotas(decision, fields);
        }
        if (!decision.allowed()) {
            decision.retryAfter()
                    .ifPresent(wait -> fields.accept(RETRY_AFTER_FIELD, Long.toString(ceilSeconds(wait))));
        }
    }

    private void writeQuotas(Decision decision, BiConsumer<CharSequence, String> fields) {
        if (headerSet.hasLegacy()) {
            var quota = decision.mostRestrictive().orElseThrow();
            fields.accept(LIMIT_FIELD, Long.toString(quota.limit()));
            fields.accept(REMAINING_FIELD, Long.toString(quota.remaining()));
            var reset = resetEpochSeconds(quota);
            if (reset != null) {
                fields.accept(RESET_FIELD, reset.toString());
            }
        }
        if (headerSet.hasStandard()) {
            writeStandard(decision, fields);
        }
    }

    /**
     * Removes the rate-limit headers of an upstream's response that Sluice has written itself. A set of headers (standard or
     * legacy) that Sluice has not written is kept.
     *
     * @param upstream headers of the upstream's response; modified
     * @param own headers that Sluice has written
     */
    public static void removeOverridden(MultiMap upstream, MultiMap own) {
        boolean legacy = own.contains(LIMIT_FIELD);
        boolean standard = own.contains(RATE_LIMIT_FIELD);
        if (legacy) {
            upstream.remove(LIMIT_FIELD).remove(REMAINING_FIELD).remove(RESET_FIELD);
        }
        if (standard) {
            upstream.remove(POLICY_FIELD).remove(RATE_LIMIT_FIELD);
        }
        // In a response that reports a decision, the absence of these headers is significant, too.
        if (legacy || standard || own.contains(MODE_FIELD)) {
            upstream.remove(MODE_FIELD);
        }
        if (legacy || standard || own.contains(DRY_RUN_FIELD)) {
            upstream.remove(DRY_RUN_FIELD);
        }
    }

    private static void writeStandard(Decision decision, BiConsumer<CharSequence, String> fields) {
        var members = StandardMembers.of(decision);
        if (!members.isEmpty()) {
            fields.accept(POLICY_FIELD, members.policy());
            fields.accept(RATE_LIMIT_FIELD, members.state());
        }
    }

    /** Converts a duration to whole seconds, rounded up, at least 1: the form of {@code Retry-After}. */
    public static long ceilSeconds(Duration duration) {
        return Math.max(1, duration.plusNanos(999_999_999).toSeconds());
    }

    /** Returns the reset time of a quota in Unix seconds, rounded up; null if it has none. */
    public static Long resetEpochSeconds(QuotaStatus quota) {
        var reset = quota.resetAt().orElse(null);
        return reset == null ? null : reset.getEpochSecond() + (reset.getNano() > 0 ? 1 : 0);
    }
}
