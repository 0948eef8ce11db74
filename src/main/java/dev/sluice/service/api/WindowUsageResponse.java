package dev.sluice.service.api;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.api.WindowUsage;

/** Body of the response to {@code GET /v1/usage}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Usage")
record WindowUsageResponse(String identifier, String resource,
        @Schema(description = "Units used in the current window") long current,
        @Schema(description = "Start of the window in Unix seconds") long windowStart,
        @Schema(description = "End of the window in Unix seconds") long windowEnd) {

    static WindowUsageResponse of(WindowUsage usage) {
        return new WindowUsageResponse(usage.identifier(), usage.resource(), usage.used(), usage.start().getEpochSecond(),
                usage.end().getEpochSecond());
    }
}
