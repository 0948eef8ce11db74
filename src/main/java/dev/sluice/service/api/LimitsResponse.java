package dev.sluice.service.api;

import java.util.SortedMap;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;

/** Body of the response to {@code GET /v1/limits}. */
@Schema(name = "Limits")
record LimitsResponse(String identifier,
        @Schema(description = "Units used in the longest window of each resource", examples = "{\"api:/campaigns\":3}") SortedMap<String, Long> limits,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Name that was probably meant; present only if nothing was used") String hint) {
}
