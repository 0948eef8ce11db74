package dev.sluice.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.identity.chain.ChainLevel;

/**
 * Rules of one level of a chain for API requests: the resource {@code api} for all of them, and {@code endpoint:} and the endpoint as
 * configured for each endpoint. Immutable once created.
 */
final class LevelRules {

    /** Resource of the limit of all API requests of a level. */
    private static final String ALL = "api";
    private static final String ENDPOINT_PREFIX = "endpoint:";

    private final String identifier;
    private final List<ResourceCheck> always;
    /** Null if there is no limit for all requests. */
    private final RateLimitRequest unconditional;
    /** Null if there are no limits of endpoints. */
    private final RuleMatcher endpoints;

    /** @param prefix segments of the API prefix */
    LevelRules(ChainLevel level, List<String> prefix, boolean caseInsensitive) {
        identifier = level.identifier();
        var limits = level.limits();
        always = limits.api() == null ? List.of() : List.of(new ResourceCheck(ALL, limits.api(), 1));
        unconditional = always.isEmpty() ? null : request(always);
        endpoints = limits.endpoints().isEmpty() ? null : new RuleMatcher();
        limits.endpoints().forEach((name, rate) -> Endpoint.parse(name, prefix, caseInsensitive).ifPresent(
                endpoint -> endpoints.add(endpoint.method(), endpoint.segments(),
                        new LimitRule(ENDPOINT_PREFIX + name, Map.of("", rate), null))));
    }

    boolean hasEndpoints() {
        return endpoints != null;
    }

    /** Returns the rule of an endpoint; null if there is none. */
    LimitRule endpointRule(String verb, List<String> endpoint) {
        return endpoints.find(verb, endpoint);
    }

    /** Returns the request of this level for an API request that matches these endpoints; null if nothing limits it. */
    RateLimitRequest request(Set<LimitRule> matched) {
        if (matched.isEmpty()) {
            return unconditional;
        }
        var checks = new ArrayList<>(always);
        matched.forEach(rule -> checks.add(rule.check("", 1)));
        return request(checks);
    }

    private RateLimitRequest request(List<ResourceCheck> checks) {
        return new RateLimitRequest(identifier, null, ALL, checks);
    }
}
