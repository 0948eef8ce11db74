package dev.sluice.api;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Request for a decision of the {@link RateLimiter}. All checks are granted together, or none is. A request whose costs are
 * all 0 is a query: it is decided as if each cost were 1, and consumes nothing.
 *
 * @param identifier owner of the windows, for example {@code user:alice}; 1 to 256 characters, verbatim
 * @param tier tier of the caller, for metrics; null if there is none
 * @param label name of the rule, for metrics; must come from a bounded set, never from the content of a request
 * @param checks the checks, all of which must pass
 * @param shadow whether the checks are counted and reported, but deny nothing. A request whose checks do not pass is allowed, and
 *        counts in none of their windows
 */
public record RateLimitRequest(String identifier, @Nullable String tier, String label, List<ResourceCheck> checks,
        boolean shadow) {

    /** Label of requests that bring a rate of their own. */
    public static final String CUSTOM_LABEL = "custom";

    /** @throws IllegalArgumentException if the identifier is invalid */
    public RateLimitRequest {
        Identifiers.requireValid("identifier", identifier);
        checks = List.copyOf(checks);
    }

    /**
     * Creates a request whose checks can deny it.
     *
     * @param identifier owner of the windows; 1 to 256 characters
     * @param tier tier of the caller, for metrics; null if there is none
     * @param label name of the rule, for metrics
     * @param checks the checks, all of which must pass
     * @throws IllegalArgumentException if the identifier is invalid
     */
    public RateLimitRequest(String identifier, @Nullable String tier, String label, List<ResourceCheck> checks) {
        this(identifier, tier, label, checks, false);
    }

    /**
     * Creates a request with a single check, labelled {@value #CUSTOM_LABEL}.
     *
     * @param identifier owner of the windows; 1 to 256 characters
     * @param resource name of the resource; 1 to 256 characters
     * @param rate the rate to check
     * @param cost units to consume, from 0 to {@value Quota#MAX_LIMIT}; 0 only queries
     * @throws IllegalArgumentException if an argument is out of range
     */
    public static RateLimitRequest of(String identifier, String resource, Rate rate, long cost) {
        return new RateLimitRequest(identifier, null, CUSTOM_LABEL, List.of(new ResourceCheck(resource, rate, cost)));
    }
}
