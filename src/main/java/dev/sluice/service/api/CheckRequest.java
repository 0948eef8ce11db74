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

/** The body of {@code POST /v1/check}, read. */
final class CheckRequest {

    private static final StrictJsonBody.Fields FIELDS = StrictJsonBody.Fields.of("identifier", "resource", "limit",
            "window_seconds",
            "rate", "tier", "cost");
    private static final RateCache RATES = new RateCache();
    private static final List<String> NOT_WITH_A_TIER = List.of("limit", "window_seconds", "rate");
    private static final List<String> NOT_WITH_A_RATE = List.of("limit", "window_seconds");

    private CheckRequest() {
    }

    static RateLimitRequest read(byte[] json, CurrentPolicy policy, CurrentLlmPolicy llmRows) {
        var body = new StrictJsonBody(json, FIELDS);
        var identifier = body.name("identifier");
        var resource = body.name("resource");
        long cost = body.has("cost") ? body.integer("cost", 0, Quota.MAX_LIMIT) : 1;
        var request = body.has("tier")
                ? byRow(body, identifier, resource, cost, policy, llmRows)
                : RateLimitRequest.of(identifier, resource, rate(body), cost);
        if (request.demands().get(0).rate() != Rate.BLOCKED && request.demands().get(0).impossible()) {
            throw new BadRequestException(
                    new ErrorResponse(400, "RATE_4002", "The cost is above the limit: it could never pass",
                            new JsonObject().put("field", "cost"), JsonObject::new));
        }
        return request;
    }

    private static RateLimitRequest byRow(StrictJsonBody body, String identifier, String resource, long cost,
            CurrentPolicy policy,
            CurrentLlmPolicy llmRows) {
        for (var other : NOT_WITH_A_TIER) {
            if (body.has(other)) {
                throw BadRequestException.field(other, "Give a tier, or a rate, or limit and window_seconds; not two of them");
            }
        }
        var tier = policy.tier(body.text("tier"));
        var api = policy.row(resource);
        var row = api == null ? llmRows.row(resource) : api;
        var rate = row == null || row.rate(tier) == null ? policy.defaultRate(tier) : row.rate(tier);
        return new RateLimitRequest(identifier, tier, row == null ? RateLimitRequest.CUSTOM : row.resource(),
                List.of(new ResourceCheck(resource, rate, cost).fallingBack(row == null ? null : row.fallback())));
    }

    private static Rate rate(StrictJsonBody body) {
        if (!body.has("rate")) {
            if (!body.has("limit") && !body.has("window_seconds")) {
                throw BadRequestException.field("limit", "Give limit and window_seconds, or a rate, or a tier");
            }
            return RATES.of(body.integer("limit", 1, Quota.MAX_LIMIT),
                    body.integer("window_seconds", 1, Quota.MAX_WINDOW.toSeconds()));
        }
        for (var other : NOT_WITH_A_RATE) {
            if (body.has(other)) {
                throw BadRequestException.field(other, "Give a rate, or limit and window_seconds; not both");
            }
        }
        try {
            return RATES.parse(body.text("rate"));
        } catch (IllegalArgumentException e) {
            throw BadRequestException.field("rate", e.getMessage() + "; allowed: " + Rate.ALLOWED);
        }
    }
}
