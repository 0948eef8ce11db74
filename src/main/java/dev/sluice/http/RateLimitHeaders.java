package dev.sluice.http;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.config.ConfigProblems;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/**
 * Writes a decision into response headers: {@code X-RateLimit-*}, and the fields of draft-ietf-httpapi-ratelimit-headers-10.
 * {@code rate-limit.headers} selects which.
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

    /** Names of resources as they are written; those that are asked for again and again are rows'. */
    private static final int MOST_NAMES = 1000;
    private static final Map<String, String> QUOTED = new ConcurrentHashMap<>();

    private final String configured;
    private final HeaderSet set;

    @Inject
    RateLimitHeaders(HttpConfig settings) {
        this.configured = settings.headers();
        this.set = HeaderSet.of(configured).orElse(HeaderSet.ALL);
    }

    /** All headers, whatever the settings say. */
    public RateLimitHeaders() {
        this.configured = HeaderSet.ALL.name();
        this.set = HeaderSet.ALL;
    }

    void validate(@Observes ConfigProblems problems) {
        if (HeaderSet.of(configured).isEmpty()) {
            problems.add("rate-limit.headers", configured, HeaderSet.ALLOWED);
        }
    }

    public void write(MultiMap headers, Decision decision) {
        if (decision.mode() == DecisionMode.OFF) {
            return;
        }
        if (decision.mode() == DecisionMode.LOCAL || decision.mode() == DecisionMode.OPEN) {
            headers.set(MODE_FIELD, decision.mode().value());
        }
        if (decision.allowed() && decision.denied()) {
            headers.set(DRY_RUN_FIELD, "denied");
        }
        if (set != HeaderSet.NONE && !decision.quotas().isEmpty()) {
            writeState(headers, decision);
        }
        if (!decision.allowed()) {
            decision.retryAfter()
                    .ifPresent(wait -> headers.set(RETRY_AFTER_FIELD, Long.toString(ErrorResponse.ceilSeconds(wait))));
        }
    }

    private void writeState(MultiMap headers, Decision decision) {
        if (set.legacy()) {
            var closest = decision.mostRestrictive().orElseThrow();
            headers.set(LIMIT_FIELD, Long.toString(closest.limit()));
            headers.set(REMAINING_FIELD, Long.toString(closest.remaining()));
            if (closest.resetAt() != null) {
                headers.set(RESET_FIELD, Long.toString(resetEpochSeconds(closest)));
            }
        }
        if (set.standard()) {
            writeFields(headers, decision);
        }
    }

    /**
     * Removes from an upstream's response the headers that Sluice has written itself; those of a kind that it has not written
     * stay.
     *
     * @param upstream the upstream's headers
     * @param own what the response has so far
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
        // Missing from a response that reports a decision, they say something too.
        if (legacy || standard || own.contains(MODE_FIELD)) {
            upstream.remove(MODE_FIELD);
        }
        if (legacy || standard || own.contains(DRY_RUN_FIELD)) {
            upstream.remove(DRY_RUN_FIELD);
        }
    }

    private static void writeFields(MultiMap headers, Decision decision) {
        var quotas = decision.quotas();
        var several = several(quotas);
        var policy = new StringBuilder(64);
        var state = new StringBuilder(64);
        for (var quota : quotas) {
            long window = quota.window().toSeconds();
            if (window == 0) {
                continue; // blocked
            }
            var name = several.contains(quota.resource()) ? quoted(quota.resource() + '/' + window) : known(quota.resource());
            if (!policy.isEmpty()) {
                policy.append(", ");
                state.append(", ");
            }
            policy.append(name).append(";q=").append(integer(quota.limit())).append(";w=").append(window);
            if (quota.unit() != QuotaUnit.REQUESTS) {
                policy.append(";qu=\"").append(quota.unit().name().toLowerCase(Locale.ROOT)).append('"');
            }
            state.append(name).append(";r=").append(integer(quota.remaining())).append(";t=")
                    .append(seconds(decision.decidedAt(), quota.resetAt()));
        }
        if (!policy.isEmpty()) {
            headers.set(POLICY_FIELD, policy.toString());
            headers.set(RATE_LIMIT_FIELD, state.toString());
        }
    }

    private static String known(String resource) {
        var name = QUOTED.get(resource);
        if (name == null) {
            name = quoted(resource);
            if (QUOTED.size() >= MOST_NAMES) {
                QUOTED.clear();
            }
            QUOTED.put(resource, name);
        }
        return name;
    }

    /** An integer of RFC 9651 has at most 15 digits. */
    private static long integer(long units) {
        return Math.min(units, 999_999_999_999_999L);
    }

    private static Set<String> several(List<QuotaStatus> quotas) {
        return quotas.size() == 1
                ? Set.of()
                : quotas.stream().collect(Collectors.groupingBy(QuotaStatus::resource, Collectors.counting())).entrySet()
                        .stream().filter(entry -> entry.getValue() > 1).map(Map.Entry::getKey)
                        .collect(Collectors.toSet());
    }

    /** Whole seconds, rounded up. */
    private static long seconds(Instant from, Instant to) {
        return Math.max(0, to.getEpochSecond() - from.getEpochSecond() + (to.getNano() > from.getNano() ? 1 : 0));
    }

    /** Unix seconds, rounded up; null where there is no reset. */
    public static Long resetEpochSeconds(QuotaStatus quota) {
        var reset = quota.resetAt();
        return reset == null ? null : reset.getEpochSecond() + (reset.getNano() > 0 ? 1 : 0);
    }

    /** A string of RFC 9651; what that cannot hold is percent-encoded. */
    private static String quoted(String text) {
        var quoted = new StringBuilder(text.length() + 2).append('"');
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b == '"' || b == '\\') {
                quoted.append('\\').append((char) b);
            } else if (b >= ' ' && b < 0x7f) {
                quoted.append((char) b);
            } else {
                quoted.append('%').append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
            }
        }
        return quoted.append('"').toString();
    }
}
