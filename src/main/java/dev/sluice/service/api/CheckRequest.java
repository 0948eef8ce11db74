package dev.sluice.service.api;

import java.util.List;
import java.util.Objects;

import jakarta.validation.constraints.NotNull;

import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.hibernate.validator.constraints.Range;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;

/** Body of {@code POST /v1/check}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Check", description = "Operation to check, with its limit: limit and window_seconds, or rate, or tier")
record CheckRequest(
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256, description = "Identifier whose usage is counted, verbatim. Identifiers of callers (user:, ip:, and key: with a SHA-256) and of the keys of rules require the API token") String identifier,
        @NotNull(message = "is missing") @ValidName @Schema(required = true, minLength = 1, maxLength = 256, description = "Resource name; with tier, the name of a configured rule, such as api:/campaigns") String resource,
        @Range(min = 1, max = Quota.MAX_LIMIT, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "1", maximum = "1000000000", description = "Units per window") Long limit,
        @Range(min = 1, max = Quota.MAX_WINDOW_SECONDS, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "1", maximum = "2678400", description = "Window length in seconds") Long windowSeconds,
        @Schema(description = "One or more quotas, instead of limit and window_seconds", examples = "10/second;100/minute") String rate,
        @Schema(description = "Tier whose rate for the resource applies, instead of an explicit rate; without a matching rule, the default rate of the tier", examples = "pro") String tier,
        @Range(min = 0, max = Quota.MAX_LIMIT, message = RequestBodyReader.WHOLE_NUMBER) @Schema(minimum = "0", maximum = "1000000000", defaultValue = "1", description = "Units to consume. 0 returns the decision for a cost of 1 without consuming anything, always with status 200") Long cost,
        @Schema(defaultValue = "false", description = "true: the units have been used already. They are taken also beyond the limit, and the status is always 200; allowed is false if nothing was left before") Boolean charge) {

    private static final RateCache RATES = new RateCache();

    /** @throws BadRequestException if not exactly one limit is specified, or if the cost exceeds it */
    RateLimitRequest toRateLimitRequest(CurrentPolicy policy, CurrentLlmPolicy llmPolicy) {
        long units = Objects.requireNonNullElse(cost, 1L);
        var request = tier == null
                ? RateLimitRequest.of(identifier, resource, explicitRate(), units)
                : forTier(units, policy, llmPolicy);
        var check = request.checks().get(0);
        if (!isCharge() && !request.shadow() && check.exceedsLimit()) {
            throw new BadRequestException(ErrorResponse.costAboveLimit("cost"));
        }
        return request;
    }

    boolean isCharge() {
        return Boolean.TRUE.equals(charge);
    }

    private RateLimitRequest forTier(long units, CurrentPolicy policy, CurrentLlmPolicy llmPolicy) {
        var other = limit != null ? "limit" : windowSeconds != null ? "window_seconds" : rate != null ? "rate" : null;
        if (other != null) {
            throw BadRequestException.forField(other, "Specify exactly one of: tier, rate, limit and window_seconds");
        }
        var effective = Tier.check(tier, policy.tiers());
        var apiRule = policy.rule(resource);
        var rule = apiRule == null ? llmPolicy.rule(resource) : apiRule;
        var ruleRate = rule == null || rule.rate(effective) == null ? policy.defaultRate(effective) : rule.rate(effective);
        return new RateLimitRequest(identifier, effective, rule == null ? RateLimitRequest.CUSTOM_LABEL : rule.resource(),
                // a window is counted in the same form as on the gateway; the reservation is not settled
                List.of(new ResourceCheck(resource, ruleRate, units, rule != null && rule.options().needsAnswer(),
                        rule == null ? null : rule.fallback())),
                rule != null && rule.options().shadow());
    }

    private Rate explicitRate() {
        if (rate != null) {
            return parsedRate();
        }
        if (limit == null || windowSeconds == null) {
            throw limit == null && windowSeconds == null
                    ? BadRequestException.forField("limit", "Specify limit and window_seconds, or rate, or tier")
                    : limit == null
                            ? BadRequestException.forField("limit", "limit is missing")
                            : BadRequestException.forField("window_seconds", "window_seconds is missing");
        }
        return RATES.of(limit, windowSeconds);
    }

    private Rate parsedRate() {
        if (limit != null || windowSeconds != null) {
            throw BadRequestException.forField(limit != null ? "limit" : "window_seconds",
                    "Specify either rate or limit and window_seconds");
        }
        try {
            return RATES.parse(rate);
        } catch (IllegalArgumentException e) {
            throw BadRequestException.forField("rate", e.getMessage() + "; allowed: " + Rate.SYNTAX);
        }
    }
}
