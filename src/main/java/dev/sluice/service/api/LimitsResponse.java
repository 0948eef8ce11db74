package dev.sluice.service.api;

import java.util.SortedMap;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Body of the response to {@code GET /v1/limits}. */
@Schema(name = "Limits")
record LimitsResponse(String identifier,
        @Schema(description = "Units used in the longest window of each resource", examples = "{\"api:/campaigns\":3}") SortedMap<String, Long> limits) {
}
