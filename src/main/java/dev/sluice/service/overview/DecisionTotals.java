package dev.sluice.service.overview;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.service.traffic.TrafficCounts;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Decisions of a period, in responses. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "DecisionTotals", description = "Decisions. A request is one, and one more for each shadow rule that governs it; a call of Envoy's rate limit service is one for each rule")
record DecisionTotals(@Schema(description = "Decisions that allowed the request") long allowed,
        @Schema(description = "Decisions that denied the request; none of a shadow rule or in a dry run, which allow it") long denied,
        @Schema(description = "Decisions that failed") long errors,
        @Schema(description = "Median duration of a decision in milliseconds, estimated from a histogram; null if there was none") Double p50Ms,
        @Schema(description = "99th percentile of the duration of a decision in milliseconds, estimated from a histogram; null if there was none") Double p99Ms) {

    private static final double NANOS_PER_MILLI = 1_000_000;

    static DecisionTotals of(TrafficCounts counts) {
        var total = counts.total();
        return new DecisionTotals(total.allowed(), total.denied(), total.errors(), millis(counts.latency(0.5)),
                millis(counts.latency(0.99)));
    }

    /** @param nanos may be null */
    static Double millis(Long nanos) {
        return nanos == null ? null : nanos / NANOS_PER_MILLI;
    }
}
