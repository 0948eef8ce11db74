package dev.sluice.service.api;

import java.util.List;

import jakarta.validation.constraints.NotNull;

import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.hibernate.validator.constraints.Range;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.directory.cache.ResolvedCaller;
import dev.sluice.llm.limit.ExternalCall;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/** Body of {@code POST /v1/llm/usage}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "LlmUsed", description = "Token usage of a completed call. Missing token counts are 0")
record LlmUsageRequest(
        @NotNull(message = "is missing") @Schema(required = true, examples = "openai", description = "Name of a provider: openai, anthropic, gemini, or a configured one") String provider,
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
        @NotNull(message = "is missing") @ValidName @Schema(required = true, examples = "gpt-4o") String model,
        @Range(min = 0, max = TokenUsage.MAX, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "100000000", description = "All input tokens, including cached reads and cache writes") Long inputTokens,
        @Range(min = 0, max = TokenUsage.MAX, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "100000000") Long outputTokens,
        @Range(min = 0, max = TokenUsage.MAX, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "100000000", description = "Input tokens read from the cache, part of input_tokens") Long cachedInputTokens,
        @Range(min = 0, max = TokenUsage.MAX, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "100000000", description = "Input tokens written to the cache, part of input_tokens") Long cacheWriteInputTokens,
        @Schema(description = "Tier of the identifier, whose limits of tokens and cost the usage is counted in if there is no reservation; if missing, that of a stored user, or the first configured tier", examples = "pro") String tier,
        @Schema(description = "Team that the identifier acts for: the usage counts against its limits too", examples = "growth") String team,
        @Schema(description = "Organisation that the identifier acts for, if the team has none: the usage counts against its limits too", examples = "acme") String org,
        @ValidName @Schema(description = "Reservation token from the check; settled once") String reservation,
        @ValidName @Schema(description = "Idempotency key chosen by the client: usage with the same key is recorded once within 31 days, or 10,000 later keys of the identifier") String requestId) {

    /** @throws BadRequestException if the tier is unknown, or the team or organisation is no name */
    void check(List<String> tiers) {
        if (tier != null) {
            Tier.check(tier, tiers);
        }
        GroupNames.check(identifier, team, org);
    }

    /** Returns the call of a caller. */
    ExternalCall toCall(Provider called, TokenUsage usage, ResolvedCaller caller) {
        return new ExternalCall(called, identifier, tier == null ? caller.tier() : tier, caller.chain(), model, usage,
                reservation,
                requestId);
    }

    /** @throws BadRequestException if the parts of the input exceed it */
    TokenUsage toTokenUsage() {
        long input = orZero(inputTokens);
        long cached = orZero(cachedInputTokens);
        long written = orZero(cacheWriteInputTokens);
        if (cached + written > input) {
            throw BadRequestException.forField("input_tokens", "input_tokens must include cached_input_tokens and"
                    + " cache_write_input_tokens");
        }
        return new TokenUsage(input, cached, written, 0, orZero(outputTokens));
    }

    private static long orZero(Long count) {
        return count == null ? 0 : count;
    }
}
