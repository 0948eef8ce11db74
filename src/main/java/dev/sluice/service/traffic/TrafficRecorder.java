package dev.sluice.service.traffic;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.service.token.AdminTokens;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counts the decisions of this instance by rule and tier, and approximately by identifier. Counts nothing without an admin token:
 * nobody could read it. Thread-safe; never blocks.
 */
@Singleton
public class TrafficRecorder implements DecisionListener {

    /** Maximum number of rules and tiers; further ones are counted as {@value #OTHER}. */
    static final int MAX_CELLS = 500;
    /** Maximum number of identifiers of a rule and tier between two collections. */
    static final int MAX_IDENTIFIERS = 500;
    /** Number of identifiers that a collection reports for each outcome: those with the highest counts. */
    static final int REPORTED_IDENTIFIERS = 50;
    static final String OTHER = "other";

    private static final String NO_TIER = "none";
    /** Timer of {@code DecisionMetrics}, whose histogram is read. */
    private static final String TIMER = "rate_limit_check";

    private final boolean active;
    private final MeterRegistry meters;
    /** By rule, then by tier: a look-up allocates nothing. */
    private final Map<String, Map<String, TrafficCell>> cells = new ConcurrentHashMap<>();
    private final Set<RuleTier> names = ConcurrentHashMap.newKeySet();
    private final TrafficCell others = new TrafficCell(MAX_IDENTIFIERS, false);
    /** Durations up to the last collection. Used by the collecting thread only. */
    private Map<Long, Long> collectedLatencies = new HashMap<>();

    @Inject
    TrafficRecorder(AdminTokens tokens, MeterRegistry meters) {
        this(!tokens.isEmpty(), meters);
    }

    TrafficRecorder(boolean active, MeterRegistry meters) {
        this.active = active;
        this.meters = meters;
    }

    /** Returns whether decisions are counted. */
    boolean isActive() {
        return active;
    }

    @Override
    public void onDecision(RateLimitRequest request, Decision decision, long durationNanos) {
        if (active && !isQuery(request)) {
            cell(request).count(request.identifier(), !decision.allowed(), request.checks()); // a shadow rule or a dry run refuses nothing
        }
    }

    /** Returns whether a request consumes nothing, such as one of the console. */
    private static boolean isQuery(RateLimitRequest request) {
        var checks = request.checks();
        return !checks.isEmpty() && checks.get(0).cost() == 0 && checks.stream().allMatch(check -> check.cost() == 0);
    }

    @Override
    public void onFailure(RateLimitRequest request, DecisionMode mode, long durationNanos) {
        if (active && !isQuery(request)) {
            cell(request).countError();
        }
    }

    /**
     * Keeps the rates of requests that were decided together, as one decision: that on the first of them, which alone is counted.
     *
     * @param requests the requests; the rates of the first one are kept already
     */
    public void onDecidedTogether(List<RateLimitRequest> requests) {
        for (int i = 1; active && i < requests.size(); i++) { // allocates no iterator
            var request = requests.get(i);
            if (request.label().equals(RateLimitRequest.CUSTOM_LABEL) && !isQuery(request)) {
                cell(request).keepRates(request.identifier(), request.checks());
            }
        }
    }

    private TrafficCell cell(RateLimitRequest request) {
        var ofRule = cells.get(request.label());
        var tier = tier(request.tier());
        var cell = ofRule == null ? null : ofRule.get(tier);
        return cell == null ? register(request.label(), tier) : cell;
    }

    private static String tier(@Nullable String tier) {
        return tier == null ? NO_TIER : tier;
    }

    /** Returns the name under which requests of a rule and tier are counted. */
    static RuleTier name(String rule, @Nullable String tier) {
        return new RuleTier(rule, tier(tier));
    }

    private TrafficCell register(String rule, String tier) {
        if (names.size() >= MAX_CELLS) {
            return others;
        }
        names.add(new RuleTier(rule, tier));
        return cells.computeIfAbsent(rule, any -> new ConcurrentHashMap<>()).computeIfAbsent(tier,
                any -> new TrafficCell(MAX_IDENTIFIERS, rule.equals(RateLimitRequest.CUSTOM_LABEL)));
    }

    /** Returns what was counted since the last collection. For one thread at a time. */
    TrafficCounts collect() {
        var counts = new TrafficCounts();
        var callers = new ArrayList<Counted>();
        names.forEach(name -> collect(name, cells.get(name.rule()), counts, callers));
        collect(new RuleTier(OTHER, OTHER), others, counts, callers);
        putTop(callers, Counted::allowed, counts.allowed(), counts.rates());
        putTop(callers, Counted::denied, counts.denied(), counts.rates());
        putTop(callers, Counted::uncounted, null, counts.rates());
        collectLatencies(counts);
        return counts;
    }

    private record Counted(TopCaller caller, int allowed, int denied, int uncounted,
            @Nullable Map<String, Rate> rates) {
    }

    private static void collect(RuleTier name, Map<String, TrafficCell> ofRule, TrafficCounts counts, List<Counted> callers) {
        var cell = ofRule == null ? null : ofRule.get(name.tier());
        if (cell != null) { // otherwise it is being registered
            collect(name, cell, counts, callers);
        }
    }

    private static void collect(RuleTier name, TrafficCell cell, TrafficCounts counts, List<Counted> callers) {
        var ofCell = cell.collect((identifier, tally) -> callers.add(new Counted(
                new TopCaller(identifier, name.rule(), name.tier()), tally.allowed.get(), tally.denied.get(),
                tally.uncounted.get(), tally.rates)));
        if (ofCell.total() > 0) {
            counts.rules().put(name, ofCell);
        }
    }

    /** @param top receives the counts of the callers with the highest ones; null if only their rates are reported */
    private static void putTop(List<Counted> callers, ToIntFunction<Counted> count, @Nullable Map<TopCaller, Long> top,
            Map<GivenRate, String> rates) {
        callers.sort((one, other) -> Integer.compare(count.applyAsInt(other), count.applyAsInt(one)));
        callers.stream().limit(REPORTED_IDENTIFIERS).filter(caller -> count.applyAsInt(caller) > 0)
                .forEach(caller -> {
                    if (top != null) {
                        top.put(caller.caller(), (long) count.applyAsInt(caller));
                    }
                    if (caller.rates() != null) {
                        caller.rates().forEach((resource, rate) -> rates
                                .put(new GivenRate(caller.caller().identifier(), resource), text(rate)));
                    }
                });
    }

    /** Returns the text of a rate in its shortest form: that of a request has any number of spaces and zeros. */
    private static String text(Rate rate) {
        return Rate.of(rate.quotas().toArray(Quota[]::new)).toString();
    }

    /** Reads the histogram of the metrics, which is cumulative, so that a duration is recorded once. */
    private void collectLatencies(TrafficCounts counts) {
        var total = new HashMap<Long, Long>();
        for (var timer : meters.find(TIMER).timers()) {
            var snapshot = timer.takeSnapshot();
            long below = 0;
            for (var bucket : snapshot.histogramCounts()) {
                long bound = (long) bucket.bucket(TimeUnit.NANOSECONDS);
                long upTo = Math.max(below, (long) bucket.count());
                if (bucket.bucket(TimeUnit.SECONDS) < Double.MAX_VALUE && bound < Long.MAX_VALUE) {
                    total.merge(bound, upTo - below, Long::sum);
                    below = upTo;
                }
            }
            total.merge(Long.MAX_VALUE, Math.max(0, snapshot.count() - below), Long::sum);
        }
        total.forEach((bound, count) -> {
            long added = count - collectedLatencies.getOrDefault(bound, 0L);
            if (added > 0) {
                counts.latencies().put(bound, added);
            }
        });
        collectedLatencies = total;
    }
}
