package dev.sluice.service.overview;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.service.traffic.RuleCounts;
import dev.sluice.service.traffic.RuleTier;
import dev.sluice.service.traffic.TopCaller;
import dev.sluice.service.traffic.TrafficHistory;
import dev.sluice.service.traffic.TrafficService;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the response to {@code GET /v1/traffic}. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Traffic")
record TrafficResponse(
        @Schema(description = "all_instances, or this_instance while Redis does not reply or is not used", examples = "all_instances") String scope,
        @Schema(description = "Number of minutes that are included, the current one too") int minutes,
        @Schema(description = "Decisions and requests in flight by rule and tier, the most denied first") List<Rule> rules,
        @Schema(description = "Decisions of each minute, in ascending order") List<Minute> timeline,
        @Schema(description = "Callers with the most denied decisions") List<Caller> topDenied,
        @Schema(description = "Callers with the most allowed decisions") List<Caller> topAllowed,
        @Schema(description = "Number of minutes that the lists of callers are of") int topMinutes,
        @Schema(description = "true: the counts of callers are approximate, and rare callers are missing") boolean topApproximate) {

    private static final int MAX_CALLERS = 50;
    private static final int SECONDS = 60;

    /** Decisions of a rule and tier. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "TrafficRule", description = "Decisions by a rule for a tier. A request is one decision, and one more for each shadow rule that governs it")
    record Rule(@Schema(description = "Name of the rule, as in the metrics", examples = "api:/campaigns") String rule,
            @Schema(description = "Name of the tier", examples = "free") String tier, long allowed, long denied, long errors,
            @Schema(description = "Requests that hold slots of a limit of requests in flight now; 0 if the rule has no such limit") long inFlight) {
    }

    /** Decisions of a minute. */
    @RegisterForReflection
    @Schema(name = "TrafficMinute")
    record Minute(@Schema(description = "Start of the minute in Unix seconds") long time, long allowed, long denied,
            long errors) {
    }

    /** Decisions of a caller. */
    @RegisterForReflection
    @Schema(name = "TrafficCaller")
    record Caller(String identifier, String rule, String tier,
            @Schema(description = "Number of decisions, approximately") long decisions) {
    }

    static String scope(TrafficHistory history) {
        return scope(history.allInstances());
    }

    static String scope(boolean allInstances) {
        return allInstances ? "all_instances" : "this_instance";
    }

    /** @param rule only decisions by this rule; null for all */
    static TrafficResponse of(TrafficHistory history, String rule) {
        Predicate<String> included = name -> rule == null || name.equals(rule);
        var sum = history.sum(history.minutes().size());
        history.inFlight().keySet().forEach(name -> sum.rules().putIfAbsent(name, RuleCounts.NONE));
        var rules = sum.rules().entrySet().stream().filter(entry -> included.test(entry.getKey().rule()))
                .sorted(Comparator.<Map.Entry<RuleTier, RuleCounts>>comparingLong(entry -> entry.getValue().denied())
                        .thenComparingLong(entry -> entry.getValue().total()).reversed()
                        .thenComparing(entry -> entry.getKey().rule()).thenComparing(entry -> entry.getKey().tier()))
                .map(entry -> new Rule(entry.getKey().rule(), entry.getKey().tier(), entry.getValue().allowed(),
                        entry.getValue().denied(), entry.getValue().errors(),
                        history.inFlight().getOrDefault(entry.getKey(), 0L)))
                .toList();
        var timeline = history.minutes().stream().map(minute -> {
            var total = minute.counts().rules().entrySet().stream().filter(entry -> included.test(entry.getKey().rule()))
                    .map(Map.Entry::getValue).reduce(RuleCounts.NONE, RuleCounts::plus);
            return new Minute(minute.minute() * SECONDS, total.allowed(), total.denied(), total.errors());
        }).toList();
        return new TrafficResponse(scope(history), history.minutes().size(), rules, timeline, callers(sum.denied(), included),
                callers(sum.allowed(), included), Math.min(history.minutes().size(), TrafficService.LISTED_MINUTES), true);
    }

    private static List<Caller> callers(Map<TopCaller, Long> counts, Predicate<String> included) {
        return counts.entrySet().stream().filter(entry -> included.test(entry.getKey().rule()))
                .sorted(Map.Entry.<TopCaller, Long>comparingByValue().reversed()
                        .thenComparing(entry -> entry.getKey().identifier()))
                .limit(MAX_CALLERS).map(entry -> new Caller(entry.getKey().identifier(), entry.getKey().rule(),
                        entry.getKey().tier(), entry.getValue()))
                .toList();
    }
}
