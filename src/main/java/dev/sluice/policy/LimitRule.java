package dev.sluice.policy;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.Quota;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.policy.cost.InvalidCostException;

/**
 * Limit rule: the rates of one endpoint or LLM provider, by tier.
 *
 * @param resource resource name of its windows: {@code api:} and the endpoint as configured, or {@code api:default}
 * @param rates the rate of each tier, in the order of the tiers
 * @param fallback policy while Redis is unavailable; null for that of {@code rate-limit.fallback}
 * @param options what it says besides its rates
 * @param also rules that hold too
 * @param unitChecks the checks of a request that costs what the rule says by itself, by tier: one unit if it says nothing
 * @param isUnlimited whether every tier is unlimited, by the rules that hold too as well
 */
public record LimitRule(String resource, Map<String, Rate> rates, FallbackPolicy fallback, RuleOptions options,
        List<LimitRule> also, Map<String, List<ResourceCheck>> unitChecks, boolean isUnlimited) {

    /** Resource name of the rule for endpoints that have none of their own. */
    public static final String DEFAULT = "api:default";

    /** Prefix of a rule's name in the name of its resource, for rules that others name. */
    public static final String NAMED = "rule:";

    /** Key of the fallback policy, which stands beside the tiers in the configuration of a rule. */
    public static final String FALLBACK = "fallback";

    public LimitRule(String resource, Map<String, Rate> rates, FallbackPolicy fallback) {
        this(resource, rates, fallback, RuleOptions.NONE, List.of());
    }

    LimitRule(String resource, Map<String, Rate> rates, FallbackPolicy fallback, RuleOptions options,
            List<LimitRule> also) {
        this(resource, rates, fallback, options, List.copyOf(also),
                rates.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getKey,
                        rate -> checks(resource, rate.getValue(), options.cost().base(), options, rate.getKey(), fallback))),
                rates.values().stream().allMatch(Rate.UNLIMITED::equals) && options.concurrency().isEmpty()
                        && also.stream().allMatch(LimitRule::isUnlimited));
    }

    /** Returns the checks of a request of a tier: of its rate, and of the requests in flight. */
    private static List<ResourceCheck> checks(String resource, Rate rate, long cost, RuleOptions options, String tier,
            FallbackPolicy fallback) {
        var ofRate = new ResourceCheck(resource, rate, cost, options.needsAnswer(), fallback);
        var concurrency = options.concurrency().get(tier);
        return concurrency == null
                ? List.of(ofRate)
                : List.of(ofRate, new ResourceCheck(resource, Rate.concurrency(concurrency), 1).withFallback(fallback));
    }

    /** Returns whether a request of a caller counts for the caller by this rule alone, and may be denied. */
    boolean isPlain() {
        return options == RuleOptions.NONE && also.isEmpty();
    }

    public boolean isDefault() {
        return resource.equals(DEFAULT);
    }

    /** Returns a quota of each window of all tiers, in ascending order of their lengths. */
    public SortedSet<Quota> windows() {
        return rates.values().stream().flatMap(rate -> rate.quotas().stream())
                .filter(quota -> quota.unit() != QuotaUnit.CONCURRENT_REQUESTS).collect(Collectors.toCollection(
                        () -> new TreeSet<>(Comparator.comparing(Quota::window).thenComparing(Quota::period,
                                Comparator.nullsFirst(Comparator.naturalOrder())))));
    }

    public Rate rate(String tier) {
        return rates.get(tier);
    }

    /** Returns the request for a decision on the units that a request takes by the rule itself. */
    public RateLimitRequest request(String identifier, String tier) {
        return new RateLimitRequest(identifier, tier, resource, singleUnitChecks(tier), options.shadow());
    }

    /**
     * Returns the request for a decision. If units depend on the answer, they are reserved.
     *
     * @throws InvalidCostException if the cost is above the limit, unless the rule denies nothing
     */
    RateLimitRequest request(String identifier, String tier, long cost) {
        if (cost == options.cost().base()) {
            return request(identifier, tier);
        }
        var checks = checks(resource, rateOrFirst(tier), cost, options, tier, fallback);
        if (!options.shadow() && checks.get(0).exceedsLimit()) {
            throw InvalidCostException.aboveLimit(options.cost().field());
        }
        return new RateLimitRequest(identifier, tier, resource, checks, options.shadow());
    }

    /** Returns the check of a request of a tier. */
    public ResourceCheck check(String tier, long cost) {
        return new ResourceCheck(resource, rateOrFirst(tier), cost).withFallback(fallback);
    }

    /**
     * Returns the checks of a request of a tier that costs what the rule says by itself: of its rate, and of the requests in flight.
     */
    public List<ResourceCheck> singleUnitChecks(String tier) {
        var checks = unitChecks.get(tier);
        return checks == null ? unitChecks.get(rates.keySet().iterator().next()) : checks;
    }

    /** Returns the check of a request of a tier that reserves an estimate and settles it later. */
    public ResourceCheck reservationCheck(String tier, long estimate) {
        return ResourceCheck.reservation(resource, rateOrFirst(tier), estimate).withFallback(fallback);
    }

    /** Falls back to the first rate: a request that is in flight while the tiers change may have a tier that is unknown here. */
    private Rate rateOrFirst(String tier) {
        var rate = rates.get(tier);
        return rate == null ? rates.values().iterator().next() : rate;
    }

    /** Rules are keys of maps on the path of requests; those in force have different resources. */
    @Override
    public int hashCode() {
        return resource.hashCode();
    }
}
