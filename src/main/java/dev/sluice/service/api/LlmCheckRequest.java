package dev.sluice.service.api;

import java.util.List;
import java.util.Objects;

import jakarta.validation.constraints.NotNull;

import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.hibernate.validator.constraints.Range;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.directory.cache.ResolvedCaller;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/** Body of {@code POST /v1/llm/check}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "LlmCheck")
record LlmCheckRequest(
        @NotNull(message = "is missing") @Schema(required = true, examples = "openai", description = "Name of a provider: openai, anthropic, gemini, or a configured one") String provider,
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
        @Schema(description = "Tier of the identifier; if missing, that of a stored user, or the first configured tier", examples = "pro") String tier,
        @Schema(description = "Team that the identifier acts for: its limits hold too", examples = "growth") String team,
        @Schema(description = "Organisation that the identifier acts for, if the team has none: its limits hold too", examples = "acme") String org,
        @ValidName @Schema(examples = "gpt-4o") String model,
        @Range(min = 0, max = TokenUsage.MAX, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "100000000", description = "Estimated input and output tokens of the call; what is typical of the identifier and model if missing") Long tokens) {

    /** @throws BadRequestException if the tier is unknown, or the team or organisation is no name */
    void check(List<String> tiers) {
        if (tier != null) {
            Tier.check(tier, tiers);
        }
        GroupNames.check(identifier, team, org);
    }

    /** Returns the estimate of the call of a caller. */
    LlmCallEstimate toEstimate(Provider called, ResolvedCaller caller) {
        // The split into input and output tokens is unknown: all are estimated as output, the more expensive kind.
        return new LlmCallEstimate(called, identifier, tier == null ? caller.tier() : tier,
                Objects.requireNonNullElse(model, ""), 0, Objects.requireNonNullElse(tokens, -1L)).withChain(caller.chain());
    }

    /** @throws BadRequestException if the provider is missing or unknown */
    static Provider provider(String name, Providers providers) {
        var provider = name == null ? null : providers.find(name);
        if (provider == null) {
            throw BadRequestException.forField("provider", "provider must be " + providers.allowedIds());
        }
        return provider;
    }
}
