package dev.sluice.service.overview;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.service.traffic.TrafficCounts;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Decisions of a period, in responses. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "DecisionTotals")
record DecisionTotals(@Schema(description = "Requests that were allowed") long allowed,
        @Schema(description = "Requests that were denied, or would have been in a dry run") long denied,
        @Schema(description = "Requests that could not be decided") long errors,
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
