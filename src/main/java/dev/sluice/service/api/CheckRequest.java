package dev.sluice.service.api;

import java.util.List;

import dev.sluice.api.Quota;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.limit.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import io.vertx.core.json.JsonObject;

/** Parses the body of {@code POST /v1/check}. */
final class CheckRequest {

    private static final StrictJsonBody.Fields FIELDS = StrictJsonBody.Fields.of("identifier", "resource", "limit",
            "window_seconds",
            "rate", "tier", "cost");
    private static final RateCache RATES = new RateCache();
    private static final List<String> EXCLUDED_BY_TIER = List.of("limit", "window_seconds", "rate");
    private static final List<String> EXCLUDED_BY_RATE = List.of("limit", "window_seconds");

    private CheckRequest() {
    }

    static RateLimitRequest parse(byte[] json, CurrentPolicy policy, CurrentLlmPolicy llmPolicy) {
        var body = new StrictJsonBody(json, FIELDS);
        var identifier = body.name("identifier");
        var resource = body.name("resource");
        long cost = body.has("cost") ? body.integer("cost", 0, Quota.MAX_LIMIT) : 1;
        var request = body.has("tier")
                ? forTier(body, identifier, resource, cost, policy, llmPolicy)
                : RateLimitRequest.of(identifier, resource, parseRate(body), cost);
        if (request.checks().get(0).rate() != Rate.BLOCKED && request.checks().get(0).isUnsatisfiable()) {
            throw new BadRequestException(
                    new ErrorResponse(400, "RATE_4002", "cost exceeds the limit: the request can never be allowed",
                            new JsonObject().put("field", "cost"), JsonObject::new));
        }
        return request;
    }

    private static RateLimitRequest forTier(StrictJsonBody body, String identifier, String resource, long cost,
            CurrentPolicy policy,
            CurrentLlmPolicy llmPolicy) {
        for (var other : EXCLUDED_BY_TIER) {
            if (body.has(other)) {
                throw BadRequestException.forField(other, "Specify exactly one of: tier, rate, limit and window_seconds");
            }
        }
        var tier = policy.effectiveTier(body.text("tier"));
        var apiRule = policy.rule(resource);
        var rule = apiRule == null ? llmPolicy.rule(resource) : apiRule;
        var rate = rule == null || rule.rate(tier) == null ? policy.defaultRate(tier) : rule.rate(tier);
        return new RateLimitRequest(identifier, tier, rule == null ? RateLimitRequest.CUSTOM_LABEL : rule.resource(),
                List.of(new ResourceCheck(resource, rate, cost).withFallback(rule == null ? null : rule.fallback())));
    }

    private static Rate parseRate(StrictJsonBody body) {
        if (!body.has("rate")) {
            if (!body.has("limit") && !body.has("window_seconds")) {
                throw BadRequestException.forField("limit", "Specify limit and window_seconds, or rate, or tier");
            }
            return RATES.of(body.integer("limit", 1, Quota.MAX_LIMIT),
                    body.integer("window_seconds", 1, Quota.MAX_WINDOW.toSeconds()));
        }
        for (var other : EXCLUDED_BY_RATE) {
            if (body.has(other)) {
                throw BadRequestException.forField(other, "Specify either rate or limit and window_seconds");
            }
        }
        try {
            return RATES.parse(body.text("rate"));
        } catch (IllegalArgumentException e) {
            throw BadRequestException.forField("rate", e.getMessage() + "; allowed: " + Rate.SYNTAX);
        }
    }
}
