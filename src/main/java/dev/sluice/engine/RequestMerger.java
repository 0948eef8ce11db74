package dev.sluice.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

import dev.sluice.api.RateLimitRequest;

/**
 * Merges requests of the same identifier, so that no two requests that are decided together concern the same windows. A shadow request
 * is merged with those of the same resource only: what does not fit takes nothing, which must not affect others.
 */
final class RequestMerger {

    private record Key(String identifier, String shadowResource) {

        static Key of(RateLimitRequest request) {
            return new Key(request.identifier(),
                    request.shadow() && !request.checks().isEmpty() ? request.checks().get(0).resource() : null);
        }
    }

    private RequestMerger() {
    }

    /** Returns requests of different identifiers or shadow resources, in the order of their first request. */
    static List<RateLimitRequest> merge(List<RateLimitRequest> requests) {
        if (!hasDuplicates(requests)) {
            return requests;
        }
        var merged = new LinkedHashMap<Key, RateLimitRequest>();
        requests.forEach(request -> merged.merge(Key.of(request), request, RequestMerger::combine));
        return List.copyOf(merged.values());
    }

    private static boolean hasDuplicates(List<RateLimitRequest> requests) {
        for (int i = 1; i < requests.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (requests.get(i).identifier().equals(requests.get(j).identifier())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static RateLimitRequest combine(RateLimitRequest one, RateLimitRequest other) {
        var checks = new ArrayList<>(one.checks());
        checks.addAll(other.checks());
        return new RateLimitRequest(one.identifier(), one.tier(), one.label(), checks, one.shadow());
    }
}
