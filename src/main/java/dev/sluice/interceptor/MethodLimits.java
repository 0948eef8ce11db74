package dev.sluice.interceptor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;
import dev.sluice.policy.key.KeySource;

/** All {@link RateLimited} and {@link dev.sluice.api.ConcurrencyLimited} annotations that apply to one method. Immutable. */
public final class MethodLimits {

    static final MethodLimits NONE = new MethodLimits(List.of());

    private final List<AnnotatedLimit> limits;

    MethodLimits(List<AnnotatedLimit> limits) {
        this.limits = limits;
    }

    /** Returns whether the method has no limits. */
    public boolean isEmpty() {
        return limits.isEmpty();
    }

    /** Returns whether any limit is a rate, as opposed to one of the invocations in flight. */
    boolean hasRates() {
        return limits.stream().anyMatch(limit -> !limit.check().isConcurrency());
    }

    List<AnnotatedLimit> limits() {
        return limits;
    }

    /**
     * Returns the requests for one invocation: one per identifier, that of the caller first.
     *
     * @param source what keys are read from, with the caller
     * @param tier tier of the caller; null if there is none
     * @param placeholders resolves the placeholders of {@link RateLimited#key()}
     */
    public List<RateLimitRequest> requests(KeySource source, String tier, UnaryOperator<String> placeholders) {
        var checksByIdentifier = new LinkedHashMap<String, List<ResourceCheck>>();
        checksByIdentifier.put(source.caller().identifier(), new ArrayList<>());
        for (var limit : limits) {
            for (var identifier : limit.identifiers(source, placeholders)) {
                checksByIdentifier.computeIfAbsent(identifier, created -> new ArrayList<>()).add(limit.check());
            }
        }
        var requests = new ArrayList<RateLimitRequest>(checksByIdentifier.size());
        checksByIdentifier.forEach((identifier, own) -> {
            if (!own.isEmpty()) {
                requests.add(new RateLimitRequest(identifier, tier, own.get(0).resource(), own));
            }
        });
        return requests;
    }
}
