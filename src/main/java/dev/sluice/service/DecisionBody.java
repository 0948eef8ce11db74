package dev.sluice.service;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.limit.Decision;
import dev.sluice.limit.QuotaStatus;
import dev.sluice.limit.Unit;
import io.vertx.core.json.JsonObject;

/** A decision as the decision endpoints tell it: of the rate closest to its end. */
final class DecisionBody {

    private DecisionBody() {
    }

    static JsonObject of(Decision decision) {
        var body = new JsonObject().put("allowed", decision.allowed());
        decision.closest().ifPresentOrElse(quota -> quota(body, quota),
                () -> body.putNull("limit").putNull("remaining").putNull("window_seconds").putNull("reset_at"));
        return body.put("retry_after", decision.allowed()
                ? Long.valueOf(0)
                : decision.retryAfter().map(ErrorAnswer::roundedUp).orElse(null));
    }

    private static void quota(JsonObject body, QuotaStatus quota) {
        body.put("limit", ErrorAnswer.amount(quota.unit(), quota.limit()))
                .put("remaining", ErrorAnswer.amount(quota.unit(), quota.remaining()))
                .put("window_seconds", quota.window().isZero() ? null : quota.window().toSeconds())
                .put("reset_at", RateLimitHeaders.resetAt(quota));
        if (quota.unit() != Unit.REQUESTS) {
            body.put("unit", ErrorAnswer.name(quota.unit()));
        }
    }
}
