package dev.sluice.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.identity.chain.OwnLimits;

/**
 * Rules of the limits of a level for API requests. Immutable once created.
 *
 * @see LevelResources
 */
final class LevelRules {

    private final List<ResourceCheck> always;
    /** Null if there are no limits of endpoints. */
    private final RuleMatcher endpoints;

    /** @param prefix segments of the API prefix */
    LevelRules(OwnLimits limits, List<String> prefix, boolean caseInsensitive) {
        always = limits.api() == null ? List.of() : List.of(new ResourceCheck(LevelResources.API, limits.api(), 1));
        endpoints = limits.endpoints().isEmpty() ? null : new RuleMatcher();
        new TreeMap<>(limits.endpoints()).forEach((name, rate) -> Endpoint.parse(name, prefix, caseInsensitive).ifPresent(
                endpoint -> endpoints.add(endpoint.method(), endpoint.segments(),
                        new LimitRule(LevelResources.endpoint(name), Map.of("", rate), null))));
    }

    boolean hasEndpoints() {
        return endpoints != null;
    }

    /** Returns the rule of an endpoint; null if there is none. */
    LimitRule endpointRule(String verb, List<String> endpoint) {
        return endpoints.find(verb, endpoint);
    }

    /**
     * Returns the request of a level for an API request that matches these endpoints; null if nothing limits it.
     *
     * @param identifier identifier of the level
     */
    RateLimitRequest request(String identifier, Set<LimitRule> matched) {
        var checks = always;
        if (!matched.isEmpty()) {
            checks = new ArrayList<>(always);
            for (var rule : matched) {
                checks.add(rule.check("", 1));
            }
        }
        return checks.isEmpty() ? null : new RateLimitRequest(identifier, null, LevelResources.API, checks);
    }
}
