package dev.sluice.service.api.leases;

import jakarta.validation.constraints.NotNull;

import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.hibernate.validator.constraints.Range;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.service.api.RequestBodyReader;
import dev.sluice.service.api.ValidName;
import dev.sluice.store.concurrency.LeaseToken;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of {@code POST /v1/leases}. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "LeaseRequest", description = "Slot of requests in flight that is taken")
record LeaseRequest(
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256, description = "Identifier whose requests in flight are counted, verbatim. Identifiers of callers and of the keys of rules require the API token", examples = "user123") String identifier,
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256, description = "Resource name; that of a rule shares its slots", examples = "reports") String resource,
        @NotNull(message = "is missing") @Range(min = 1, max = 1_000_000, message = RequestBodyReader.WHOLE_NUMBER) @Schema(required = true, minimum = "1", maximum = "1000000", description = "Maximum number of slots that are held at a time", examples = "2") Long limit,
        @NotNull(message = "is missing") @Range(min = 1, max = LeaseToken.MAX_SECONDS, message = RequestBodyReader.WHOLE_NUMBER) @Schema(required = true, minimum = "1", maximum = "86400", description = "Seconds until the lease ends by itself, unless it is renewed", examples = "60") Long ttlSeconds) {

    /** Body of {@code PUT /v1/leases/{lease}}. */
    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LeaseRenewal")
    record Renewal(
            @Range(min = 1, max = LeaseToken.MAX_SECONDS, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "1", maximum = "86400", description = "Seconds until the lease ends by itself; as when it was taken if missing") Long ttlSeconds) {
    }
}
