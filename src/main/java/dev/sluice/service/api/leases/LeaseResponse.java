package dev.sluice.service.api.leases;

import java.time.Instant;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the responses of {@code /v1/leases}. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Lease")
record LeaseResponse(
        @Schema(description = "Name of the lease, for renewing and freeing it on any instance; a secret") String lease,
        @Schema(description = "Unix seconds at which it ends, rounded down") long expiresAt,
        @Schema(description = "Seconds until it ends") long ttlSeconds,
        @Schema(description = "Maximum number of slots; absent after a renewal") Long limit,
        @Schema(description = "Slots that are free; absent after a renewal") Long remaining) {

    static LeaseResponse renewed(String lease, Instant expiresAt, long seconds) {
        return new LeaseResponse(lease, expiresAt.getEpochSecond(), seconds, null, null);
    }
}
