package dev.sluice.api;

import java.util.List;

/**
 * One question to the {@link RateLimiter}: may this caller go ahead? All demands are granted together, or none is.
 * If every cost is 0, it only asks what a cost of 1 would be answered, and consumes nothing.
 *
 * @param identifier whose windows these are; 1 to 256 characters, verbatim
 * @param tier the caller's tier, for the metrics; null where there is none
 * @param label the row's name for the metrics, out of a bounded set: never made from a request
 * @param checks what must all hold
 */
public record RateLimitRequest(String identifier, String tier, String label, List<ResourceCheck> checks) {

    /** The label of checks that bring a rate of their own. */
    public static final String CUSTOM_LABEL = "custom";

    public RateLimitRequest {
        Identifiers.requireValid("identifier", identifier);
        checks = List.copyOf(checks);
    }

    /** A check with a rate of its own. */
    public static RateLimitRequest of(String identifier, String resource, Rate rate, long cost) {
        return new RateLimitRequest(identifier, null, CUSTOM_LABEL, List.of(new ResourceCheck(resource, rate, cost)));
    }
}
