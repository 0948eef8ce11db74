package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Rate;
import dev.sluice.api.ResourceCheck;

/**
 * A row of limits: what one endpoint allows to each tier.
 *
 * @param resource names its windows: {@code api:} and the endpoint as it is configured, or {@code api:default}
 * @param rates a rate for every tier, that of the first one first
 * @param fallback what answers while Redis is out of reach; null: what {@code rate-limit.fallback} says
 * @param unitChecks what a request of each tier asks of it
 */
public record LimitRule(String resource, Map<String, Rate> rates, FallbackPolicy fallback,
        Map<String, List<ResourceCheck>> unitChecks) {

    /** The resource of all endpoints that have no row. */
    public static final String DEFAULT = "api:default";

    /** What a row calls its fallback, among the tiers. */
    public static final String FALLBACK = "fallback";

    public LimitRule(String resource, Map<String, Rate> rates, FallbackPolicy fallback) {
        this(resource, rates, fallback, rates.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getKey,
                rate -> List.of(new ResourceCheck(resource, rate.getValue(), 1).fallingBack(fallback)))));
    }

    public boolean isDefault() {
        return resource.equals(DEFAULT);
    }

    public Rate rate(String tier) {
        return rates.get(tier);
    }

    /** What a request of this tier asks of it. */
    public ResourceCheck check(String tier, long cost) {
        return new ResourceCheck(resource, rateOrFirst(tier), cost).fallingBack(fallback);
    }

    /** What a request of this tier that costs one unit asks of it, and of nothing else. */
    public List<ResourceCheck> singleUnitChecks(String tier) {
        var checks = unitChecks.get(tier);
        return checks == null ? List.of(check(tier, 1)) : checks;
    }

    /** What a request of this tier reserves of it. */
    public ResourceCheck reservationCheck(String tier, long estimate) {
        return ResourceCheck.reserving(resource, rateOrFirst(tier), estimate).fallingBack(fallback);
    }

    /** A request that was under way when tiers changed may ask for one that this row has never heard of. */
    private Rate rateOrFirst(String tier) {
        var rate = rates.get(tier);
        return rate == null ? rates.values().iterator().next() : rate;
    }
}
