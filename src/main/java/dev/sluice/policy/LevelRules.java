package dev.sluice.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.identity.chain.ChainLevel;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.identity.chain.OwnLimits;

/**
 * Rules of the endpoints of a level for API requests. Immutable once created.
 *
 * @see LevelResources
 */
final class LevelRules {

    private final RuleMatcher endpoints = new RuleMatcher();

    /** @param prefix segments of the API prefix */
    LevelRules(OwnLimits limits, List<String> prefix, boolean caseInsensitive) {
        new TreeMap<>(limits.endpoints()).forEach((name, rate) -> Endpoint.parse(name, prefix, caseInsensitive).ifPresent(
                endpoint -> endpoints.add(endpoint.method(), endpoint.segments(),
                        new LimitRule(LevelResources.endpoint(name), Map.of("", rate), null))));
    }

    /** Returns the rule of an endpoint; null if there is none. */
    LimitRule endpointRule(String verb, List<String> endpoint) {
        return endpoints.find(verb, endpoint);
    }

    /** Returns the request of a level for an API request that matches these endpoints; null if nothing limits it. */
    static RateLimitRequest request(ChainLevel level, Set<LimitRule> matched) {
        if (matched.isEmpty()) {
            return level.apiRequest();
        }
        var checks = new ArrayList<ResourceCheck>();
        if (level.apiRequest() != null) {
            checks.addAll(level.apiRequest().checks());
        }
        matched.forEach(rule -> checks.add(rule.check("", 1)));
        return new RateLimitRequest(level.identifier(), null, LevelResources.API, checks);
    }
}
