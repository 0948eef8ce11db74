package dev.sluice.service.traffic;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Decisions of a period: exact counts by rule and tier, the histogram of their durations, and approximate counts of the most
 * frequent identifiers. Not thread-safe while it is filled; not changed afterwards.
 *
 * @param rules counts by rule and tier
 * @param latencies number of decisions by the upper bound of their duration in nanoseconds; {@link Long#MAX_VALUE} is the last bound
 * @param allowed allowed decisions by caller
 * @param denied denied decisions by caller
 * @param rates texts of the rates that came with requests of these callers; only of counts that are to be added
 */
public record TrafficCounts(Map<RuleTier, RuleCounts> rules, TreeMap<Long, Long> latencies, Map<TopCaller, Long> allowed,
        Map<TopCaller, Long> denied, Map<GivenRate, String> rates) {

    /** Creates counts to fill. */
    public TrafficCounts() {
        this(new HashMap<>(), new TreeMap<>(), new HashMap<>(), new HashMap<>(), new HashMap<>());
    }

    /** Adds the counts of another period. */
    public void add(TrafficCounts other) {
        other.rules.forEach((rule, counts) -> rules.merge(rule, counts, RuleCounts::plus));
        other.latencies.forEach((bound, count) -> latencies.merge(bound, count, Long::sum));
        other.allowed.forEach((caller, count) -> allowed.merge(caller, count, Long::sum));
        other.denied.forEach((caller, count) -> denied.merge(caller, count, Long::sum));
        rates.putAll(other.rates);
    }

    /** Returns whether there is nothing to add. */
    boolean isEmpty() {
        return rules.isEmpty() && latencies.isEmpty() && rates.isEmpty();
    }

    /** Returns the sum over all rules. */
    public RuleCounts total() {
        return rules.values().stream().reduce(RuleCounts.NONE, RuleCounts::plus);
    }

    /**
     * Estimates a quantile of the durations by linear interpolation within a bucket of the histogram.
     *
     * @param quantile from 0 to 1
     * @return nanoseconds; null if nothing was measured
     */
    public Long latency(double quantile) {
        long total = latencies.values().stream().mapToLong(Long::longValue).sum();
        double rank = quantile * total;
        long below = 0;
        long lower = 0;
        for (var bucket : latencies.entrySet()) {
            long upper = bucket.getKey();
            if (bucket.getValue() > 0 && below + bucket.getValue() >= rank) {
                double share = Math.max(0, rank - below) / bucket.getValue();
                return upper == Long.MAX_VALUE ? lower : lower + Math.round(share * (upper - lower));
            }
            below += bucket.getValue();
            lower = upper == Long.MAX_VALUE ? lower : upper;
        }
        return null;
    }
}
