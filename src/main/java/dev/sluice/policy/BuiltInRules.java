package dev.sluice.policy;

import java.util.Map;

/** Rules of the service that apply unless they are changed, removed, or switched off by {@code rate-limit.built-in-rules}. */
final class BuiltInRules {

    /** Rates by endpoint and tier. */
    static final Map<String, Map<String, String>> ENDPOINTS = Map.of(
            "/auth/login", byTier("5/minute", "10/minute", "20/minute"),
            "/auth/register", byTier("3/hour", "10/hour", "50/hour"),
            "/campaigns", byTier("10/minute", "100/minute", "1000/minute"),
            "/users", byTier("10/minute", "50/minute", "500/minute"));
    /** Rates of endpoints without a rule, by tier. */
    static final Map<String, String> DEFAULTS = byTier("10/minute", "100/minute", "1000/minute");

    private BuiltInRules() {
    }

    private static Map<String, String> byTier(String free, String pro, String enterprise) {
        return Map.of("free", free, "pro", pro, "enterprise", enterprise);
    }
}
