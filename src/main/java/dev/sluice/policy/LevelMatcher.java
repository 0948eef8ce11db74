package dev.sluice.policy;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.identity.chain.OwnLimits;

/** Finds the limits of a caller's levels that hold for a request. Thread-safe. */
final class LevelMatcher {

    private final EndpointPaths paths;
    /** Rules of levels, by the limits themselves: changed ones are another object. */
    private final Cache<OwnLimits, LevelRules> rules = Caffeine.newBuilder().executor(Runnable::run).weakKeys().build();

    LevelMatcher(EndpointPaths paths) {
        this.paths = paths;
    }

    /** Adds the requests of the levels of a chain for an API request. */
    void addRequests(List<RateLimitRequest> requests, IdentityChain chain, Collection<String> methods, String path) {
        for (var level : chain.levels()) {
            var request = LevelRules.request(level,
                    level.limits().endpoints().isEmpty() ? Set.of() : matching(level.limits(), methods, path));
            if (request != null) {
                requests.add(request);
            }
        }
    }

    private Set<LimitRule> matching(OwnLimits limits, Collection<String> methods, String path) {
        var ofLevel = rules.get(limits, created -> new LevelRules(created, paths.prefix(), paths.caseInsensitive()));
        var matched = new LinkedHashSet<LimitRule>();
        for (var endpoint : paths.endpoints(path)) {
            methods.forEach(method -> {
                var rule = ofLevel.endpointRule(EndpointPaths.verb(method), endpoint);
                if (rule != null) {
                    matched.add(rule);
                }
            });
        }
        return matched;
    }
}
