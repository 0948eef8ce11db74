package dev.sluice.service.api;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.api.WindowUsage;

/** Body of the response to {@code GET /v1/usage}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Usage")
record WindowUsageResponse(String identifier, String resource,
        @Schema(description = "Units used in the current window") long current,
        @Schema(description = "Start of the window in Unix seconds") long windowStart,
        @Schema(description = "End of the window in Unix seconds") long windowEnd,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Name that was probably meant; present only if nothing was used") String hint) {

    static WindowUsageResponse of(WindowUsage usage, String hint) {
        return new WindowUsageResponse(usage.identifier(), usage.resource(), usage.used(), usage.start().getEpochSecond(),
                usage.end().getEpochSecond(), usage.used() == 0 ? hint : null);
    }
}
