package dev.sluice.service;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.limit.Decision;
import dev.sluice.limit.QuotaStatus;
import dev.sluice.limit.Unit;
import io.vertx.core.json.Json;

/** A decision as the decision endpoints tell it: of the rate closest to its end. */
final class DecisionBody {

    private static final String NOTHING_GOVERNS = ",\"limit\":null,\"remaining\":null,\"window_seconds\":null,\"reset_at\":null";

    private DecisionBody() {
    }

    /**
     * @param reservation null where nothing was reserved
     * @return a JSON object
     */
    static String of(Decision decision, String reservation) {
        var json = new StringBuilder(160).append("{\"allowed\":").append(decision.allowed());
        decision.closest().ifPresentOrElse(quota -> append(json, quota), () -> json.append(NOTHING_GOVERNS));
        json.append(",\"retry_after\":");
        if (decision.allowed()) {
            json.append('0');
        } else {
            json.append(decision.retryAfter().map(ErrorAnswer::roundedUp).orElse(null));
        }
        if (reservation != null) {
            json.append(",\"reservation\":").append(Json.encode(reservation));
        }
        return json.append('}').toString();
    }

    private static void append(StringBuilder json, QuotaStatus quota) {
        json.append(",\"limit\":").append(ErrorAnswer.amount(quota.unit(), quota.limit())).append(",\"remaining\":")
                .append(ErrorAnswer.amount(quota.unit(), quota.remaining())).append(",\"window_seconds\":")
                .append(quota.window().isZero() ? null : Long.toString(quota.window().toSeconds())).append(",\"reset_at\":")
                .append(RateLimitHeaders.resetAt(quota));
        if (quota.unit() != Unit.REQUESTS) {
            json.append(",\"unit\":\"").append(ErrorAnswer.name(quota.unit())).append('"');
        }
    }
}
