package dev.sluice.interceptor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;

/** Every {@link RateLimited} of one method. */
public final class MethodLimits {

    static final MethodLimits NONE = new MethodLimits(List.of());

    private final List<AnnotatedLimit> limits;

    MethodLimits(List<AnnotatedLimit> limits) {
        this.limits = limits;
    }

    public boolean isEmpty() {
        return limits.isEmpty();
    }

    List<AnnotatedLimit> limits() {
        return limits;
    }

    /**
     * What to ask: one request per identifier, the caller's first.
     *
     * @param caller the caller's identifier
     * @param tier the caller's tier; null where there is none
     * @param label the row's name for the metrics; null: that of the annotations' first resource
     * @param demands what else the caller demands, decided together with the caller's annotations
     * @param values finds what {@code {name}} of a key stands for
     */
    public List<RateLimitRequest> requests(String caller, String tier, String label, List<ResourceCheck> demands,
            UnaryOperator<String> values) {
        var byIdentifier = new LinkedHashMap<String, List<ResourceCheck>>();
        byIdentifier.put(caller, new ArrayList<>(demands));
        for (var limit : limits) {
            byIdentifier.computeIfAbsent(limit.identifier(caller, values), identifier -> new ArrayList<>())
                    .add(limit.check());
        }
        var requests = new ArrayList<RateLimitRequest>(byIdentifier.size());
        byIdentifier.forEach((identifier, all) -> {
            if (!all.isEmpty()) {
                requests.add(new RateLimitRequest(identifier, tier, label == null ? all.get(0).resource() : label, all));
            }
        });
        return requests;
    }
}
