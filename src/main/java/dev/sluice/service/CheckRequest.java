package dev.sluice.service;

import java.util.List;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.limit.Demand;
import dev.sluice.limit.Quota;
import dev.sluice.limit.Rate;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.llm.LlmRows;
import dev.sluice.policy.Policy;
import io.vertx.core.json.JsonObject;

/** The body of {@code POST /v1/check}, read. */
final class CheckRequest {

    private static final JsonBody.Fields FIELDS = JsonBody.Fields.of("identifier", "resource", "limit", "window_seconds",
            "rate", "tier", "cost");
    private static final RecentRates RATES = new RecentRates();
    private static final List<String> NOT_WITH_A_TIER = List.of("limit", "window_seconds", "rate");
    private static final List<String> NOT_WITH_A_RATE = List.of("limit", "window_seconds");

    private CheckRequest() {
    }

    static RateLimitRequest read(byte[] json, Policy policy, LlmRows llmRows) {
        var body = new JsonBody(json, FIELDS);
        var identifier = body.name("identifier");
        var resource = body.name("resource");
        long cost = body.has("cost") ? body.integer("cost", 0, Quota.MAX_LIMIT) : 1;
        var request = body.has("tier")
                ? byRow(body, identifier, resource, cost, policy, llmRows)
                : RateLimitRequest.of(identifier, resource, rate(body), cost);
        if (request.demands().get(0).rate() != Rate.BLOCKED && request.demands().get(0).impossible()) {
            throw new BadRequest(new ErrorAnswer(400, "RATE_4002", "The cost is above the limit: it could never pass",
                    new JsonObject().put("field", "cost"), JsonObject::new));
        }
        return request;
    }

    private static RateLimitRequest byRow(JsonBody body, String identifier, String resource, long cost, Policy policy,
            LlmRows llmRows) {
        for (var other : NOT_WITH_A_TIER) {
            if (body.has(other)) {
                throw BadRequest.field(other, "Give a tier, or a rate, or limit and window_seconds; not two of them");
            }
        }
        var tier = policy.tier(body.text("tier"));
        var api = policy.row(resource);
        var row = api == null ? llmRows.row(resource) : api;
        var rate = row == null || row.rate(tier) == null ? policy.defaultRate(tier) : row.rate(tier);
        return new RateLimitRequest(identifier, tier, row == null ? RateLimitRequest.CUSTOM : row.resource(),
                List.of(new Demand(resource, rate, cost).fallingBack(row == null ? null : row.fallback())));
    }

    private static Rate rate(JsonBody body) {
        if (!body.has("rate")) {
            if (!body.has("limit") && !body.has("window_seconds")) {
                throw BadRequest.field("limit", "Give limit and window_seconds, or a rate, or a tier");
            }
            return RATES.of(body.integer("limit", 1, Quota.MAX_LIMIT),
                    body.integer("window_seconds", 1, Quota.MAX_WINDOW.toSeconds()));
        }
        for (var other : NOT_WITH_A_RATE) {
            if (body.has(other)) {
                throw BadRequest.field(other, "Give a rate, or limit and window_seconds; not both");
            }
        }
        try {
            return RATES.parse(body.text("rate"));
        } catch (IllegalArgumentException e) {
            throw BadRequest.field("rate", e.getMessage() + "; allowed: " + Rate.ALLOWED);
        }
    }
}
