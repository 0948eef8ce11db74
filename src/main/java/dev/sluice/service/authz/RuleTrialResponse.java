package dev.sluice.service.authz;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CurrentPolicy;
import io.quarkus.runtime.annotations.RegisterForReflection;

/** Body of the response to {@code POST /v1/rules/try}. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "RuleTrial")
record RuleTrialResponse(
        @Schema(description = "Whether the request would be admitted") boolean allowed,
        @Schema(description = "Status of the refusal; 200 if it would be admitted") int status,
        @Schema(description = "Message of the refusal") String message,
        @Schema(description = "true: a dry run or a shadow rule would have denied it") Boolean wouldBeDenied,
        @Schema(description = "Caller that the credentials, the proxy or the address name; absent if they are invalid") Sender caller,
        @Schema(description = "Limit of the most restrictive quota, as in X-RateLimit-Limit") Long limit,
        @Schema(description = "Units left, before the request") Long remaining,
        @Schema(description = "Unix seconds, as in X-RateLimit-Reset") Long resetAt,
        @Schema(description = "Seconds to wait; absent if it would be admitted, or waiting does not help") Long retryAfter,
        @Schema(description = "Rules and levels of the caller that govern the request; none if its path is exempt") List<Governing> rules) {

    @RegisterForReflection
    @Schema(name = "RuleTrialCaller")
    record Sender(@Schema(description = "Identifier of its windows") String identifier,
            @Schema(description = "Tier whose rates apply") String tier,
            @Schema(description = "principal, api_key, trusted_header or address") String source) {
    }

    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "RuleTrialRule")
    record Governing(@Schema(description = "Resource name of the rule") String resource,
            @Schema(description = "Identifier whose window counts; values of credentials are hashed") String identifier,
            @Schema(description = "Key of the rule, if not the caller") String key,
            @Schema(description = "true: it denies nothing") Boolean shadow,
            @Schema(description = "Where the rule was set; absent for limits of stored identities") String source,
            @Schema(description = "Whether the quotas have room") boolean allowed,
            @Schema(description = "State of each window and of the requests in flight, before the request") List<Window> quotas,
            @Schema(description = "What does not apply where a proxy asks for the decision") List<String> notes) {
    }

    @RegisterForReflection
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "RuleTrialQuota")
    record Window(long limit, long remaining, Long windowSeconds, Long resetAt, boolean denied,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "concurrent_requests: slots of requests in flight, without a window") String unit) {

        static Window of(QuotaStatus quota) {
            return new Window(quota.limit(), quota.remaining(), quota.window().isZero() ? null : quota.window().toSeconds(),
                    RateLimitHeaders.resetEpochSeconds(quota), quota.denied(),
                    quota.unit() == QuotaUnit.REQUESTS ? null : quota.unit().jsonName());
        }
    }

    private static final String NO_CONCURRENCY = "concurrency: not supported by forward authentication and ext_authz, which do not"
            + " tell the end of a request";

    static RuleTrialResponse refused(ErrorResponse error) {
        return new RuleTrialResponse(false, error.status(), error.message(), null, null, null, null, null, null, List.of());
    }

    static RuleTrialResponse of(Caller caller, List<RateLimitRequest> requests, Decision decision, CurrentPolicy policy) {
        var quota = decision.mostRestrictive().orElse(null);
        return new RuleTrialResponse(decision.allowed(), decision.allowed() ? 200 : 429, null,
                decision.allowed() && decision.denied() ? true : null,
                new Sender(caller.identity().identifier(), caller.tier(),
                        caller.identity().source().name().toLowerCase(Locale.ROOT)),
                quota == null ? null : quota.limit(), quota == null ? null : quota.remaining(),
                quota == null ? null : RateLimitHeaders.resetEpochSeconds(quota),
                decision.allowed() ? null : decision.retryAfter().map(RateLimitHeaders::ceilSeconds).orElse(null),
                governing(requests, decision, policy));
    }

    private static List<Governing> governing(List<RateLimitRequest> requests, Decision decision, CurrentPolicy policy) {
        var governing = new ArrayList<Governing>();
        for (var request : requests) {
            for (var check : request.checks()) {
                if (check.isConcurrency()) {
                    continue; // in the same rule as the check of its rate
                }
                var quotas = decision.quotas().stream().filter(quota -> quota.identifier().equals(request.identifier())
                        && quota.resource().equals(check.resource())).toList();
                var rule = policy.rule(check.resource());
                governing.add(new Governing(check.resource(), request.identifier(),
                        rule == null || rule.options().key().isCaller() ? null : rule.options().key().toString(),
                        request.shadow() ? true : null, rule == null ? null : policy.source(check.resource()),
                        quotas.stream().noneMatch(QuotaStatus::denied), quotas.stream().map(Window::of).toList(),
                        rule == null || rule.options().concurrency().isEmpty() ? null : List.of(NO_CONCURRENCY)));
            }
        }
        return governing;
    }
}
