package dev.sluice.service.overview;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import dev.sluice.service.traffic.TrafficHistory;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the response to {@code GET /v1/identifiers}. */
@RegisterForReflection
@Schema(name = "Identifiers")
record IdentifiersResponse(
        @Schema(description = "Identifiers of the last hour, the most frequent first; rare ones are missing") List<Identifier> identifiers) {

    /** An identifier. */
    @RegisterForReflection
    @Schema(name = "Identifier")
    record Identifier(@Schema(examples = "user:alice") String identifier,
            @Schema(description = "Tier of its decisions", examples = "pro") String tier) {
    }

    /** @param part text that the identifiers contain, regardless of case */
    static IdentifiersResponse of(TrafficHistory history, String part, int limit) {
        var sum = history.sum(history.minutes().size());
        var counts = new HashMap<Identifier, Long>();
        var wanted = part.toLowerCase(Locale.ROOT);
        for (var callers : List.of(sum.allowed(), sum.denied())) {
            callers.forEach((caller, count) -> {
                if (caller.identifier().toLowerCase(Locale.ROOT).contains(wanted)) {
                    counts.merge(new Identifier(caller.identifier(), caller.tier()), count, Long::sum);
                }
            });
        }
        return new IdentifiersResponse(counts.entrySet().stream()
                .sorted(Map.Entry.<Identifier, Long>comparingByValue().reversed()
                        .thenComparing(entry -> entry.getKey().identifier()))
                .limit(limit).map(Map.Entry::getKey).toList());
    }
}
