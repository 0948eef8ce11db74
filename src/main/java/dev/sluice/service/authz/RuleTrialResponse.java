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
import dev.sluice.policy.RuleOptions;
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
            @Schema(description = "Units that the request takes, if not one; if the answer says it, those that it takes before") Long cost,
            @Schema(description = "Answers whose requests count, if not all") String count,
            @Schema(description = "What the rule does not do for requests that proxies describe, by forward authentication or ext_authz; absent if it does the same") List<String> proxyNotes,
            @Schema(description = "Where the rule was set; absent for limits of stored identities") String source,
            @Schema(description = "Whether the quotas have room") boolean allowed,
            @Schema(description = "State of each window and of the requests in flight, before the request") List<Window> quotas) {
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

    /** Returns what a rule does not do where its answer is not known; null if it does everything. */
    private static List<String> proxyNotes(RuleOptions options) {
        var notes = new ArrayList<String>(3);
        if (!options.count().isAll()) {
            notes.add("count: the answer is not known, so a request is denied if no unit is left, and takes none");
        }
        if (options.cost().isFromResponse()) {
            notes.add("cost: the answer is not known, so a request takes the default");
        }
        if (!options.concurrency().isEmpty()) {
            notes.add("concurrency: the end of a request is not known, so requests in flight are not limited");
        }
        return notes.isEmpty() ? null : notes;
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
                        request.shadow() ? true : null, check.cost() == 1 ? null : check.cost(),
                        rule == null || rule.options().count().isAll() ? null : rule.options().count().toString(),
                        rule == null ? null : proxyNotes(rule.options()), rule == null ? null : policy.source(check.resource()),
                        quotas.stream().noneMatch(QuotaStatus::denied), quotas.stream().map(Window::of).toList()));
            }
        }
        return governing;
    }
}
