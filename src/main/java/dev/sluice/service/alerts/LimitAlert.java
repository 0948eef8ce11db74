package dev.sluice.service.alerts;

import java.time.Duration;
import java.time.Instant;

import dev.sluice.api.QuotaUnit;
import io.vertx.core.json.JsonObject;

/**
 * Alert about a threshold that is reached.
 *
 * @param claim name of the claim, which the instances make once: subject, resource, limit, threshold and period
 * @param message JSON object with the body and, if the subject has a URL of its own, the URL and the owner that it counts for
 * @param keepUntil time until which the claim is kept
 */
record LimitAlert(String claim, String message, Instant keepUntil) {

    /** Period after that of the limit in which late decisions still find the claim. */
    private static final Duration GRACE = Duration.ofDays(1);
    private static final String OWNER = "owner";

    /**
     * Creates an alert.
     *
     * @param ownUrl the subject's own URL; empty for that of the configuration at the time of sending
     * @param owner as in {@link AlertTarget}
     */
    static LimitAlert of(AlertObservation observed, int threshold, String ownUrl, String owner) {
        var window = observed.window();
        var claim = String.join(":", Long.toString(AlertPeriod.micros(observed.period().start())), window.window().toString(),
                window.unit().jsonName(), Long.toString(window.limit()), Integer.toString(threshold),
                Integer.toString(window.identifier().length()), window.identifier(), window.resource());
        var data = new JsonObject().put("identifier", window.identifier()).put("resource", window.resource())
                .put("limit", window.unit().jsonAmount(window.limit())).put("used", window.unit().jsonAmount(observed.used()))
                .put("threshold", threshold);
        if (window.unit() != QuotaUnit.REQUESTS) {
            data.put("unit", window.unit().jsonName());
        }
        data.put("period_end", observed.period().end().toString());
        var body = new JsonObject().put("type", "limit.threshold").put("timestamp", observed.decidedAt().toString())
                .put("data", data);
        var message = new JsonObject().put("body", body.encode());
        if (!ownUrl.isEmpty()) {
            message.put("url", ownUrl).put(OWNER, owner);
        }
        return new LimitAlert(claim, message.encode(), observed.period().end().plus(GRACE));
    }

    /**
     * Returns the owner of an alert that is in the queue; empty if it is sent to the common URL. An alert of an earlier version has
     * none; its URL stands for it.
     */
    static String owner(JsonObject message) {
        return message.getValue(OWNER, message.getValue("url")) instanceof String owner ? owner : "";
    }
}
