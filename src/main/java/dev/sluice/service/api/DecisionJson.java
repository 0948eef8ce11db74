package dev.sluice.service.api;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.http.RateLimitHeaders;
import io.vertx.core.json.Json;

/** JSON form of a decision, with the quota closest to exhaustion. */
final class DecisionJson {

    private static final String NO_QUOTA = ",\"limit\":null,\"remaining\":null,\"window_seconds\":null,\"reset_at\":null";

    private DecisionJson() {
    }

    /**
     * @param reservation null if nothing was reserved
     * @return a JSON object
     */
    static String of(Decision decision, String reservation) {
        var json = new StringBuilder(160).append("{\"allowed\":").append(decision.allowed());
        decision.mostRestrictive().ifPresentOrElse(quota -> appendQuota(json, quota), () -> json.append(NO_QUOTA));
        json.append(",\"retry_after\":");
        if (decision.allowed()) {
            json.append('0');
        } else {
            json.append(decision.retryAfter().map(RateLimitHeaders::ceilSeconds).orElse(null));
        }
        if (reservation != null) {
            json.append(",\"reservation\":").append(Json.encode(reservation));
        }
        return json.append('}').toString();
    }

    private static void appendQuota(StringBuilder json, QuotaStatus quota) {
        json.append(",\"limit\":").append(quota.unit().jsonAmount(quota.limit())).append(",\"remaining\":")
                .append(quota.unit().jsonAmount(quota.remaining())).append(",\"window_seconds\":")
                .append(quota.window().isZero() ? null : Long.toString(quota.window().toSeconds())).append(",\"reset_at\":")
                .append(RateLimitHeaders.resetEpochSeconds(quota));
        if (quota.unit() != QuotaUnit.REQUESTS) {
            json.append(",\"unit\":\"").append(quota.unit().jsonName()).append('"');
        }
    }
}
