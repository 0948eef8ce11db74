package dev.sluice.llm.limit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.TokenUsage;
import io.vertx.core.json.JsonObject;

/**
 * Windows in which a call has reserved what it may use: those of the rules, and those of the caller's levels. Each identifier
 * settles the reservation.
 *
 * @param identifiers identifiers of the windows, that of the rules first
 * @param kinds what the windows of each resource count
 */
public record ReservedWindows(List<String> identifiers, Map<String, LimitKind> kinds) {

    public ReservedWindows {
        identifiers = List.copyOf(identifiers);
        kinds = Map.copyOf(kinds);
    }

    /** Adds the windows to a JSON object. */
    public JsonObject writeTo(JsonObject json) {
        var byResource = new JsonObject();
        kinds.forEach((resource, kind) -> byResource.put(resource, kind.name()));
        return json.put("identifiers", identifiers).put("windows", byResource);
    }

    /**
     * Reads windows from a JSON object.
     *
     * @throws RuntimeException if they were not written by {@link #writeTo}
     */
    public static ReservedWindows read(JsonObject json) {
        var kinds = new HashMap<String, LimitKind>();
        json.getJsonObject("windows")
                .forEach(entry -> kinds.put(entry.getKey(), LimitKind.valueOf((String) entry.getValue())));
        return new ReservedWindows(json.getJsonArray("identifiers").stream().map(String.class::cast).toList(), kinds);
    }

    /** Returns the units that a call uses of each resource. */
    Map<String, Long> units(TokenUsage usage, long nanodollars) {
        var units = new HashMap<String, Long>();
        kinds.forEach((resource, kind) -> units.put(resource, kind.units(usage, nanodollars)));
        return units;
    }

    /** Returns what a quota of the call counts. */
    LimitKind kind(QuotaStatus quota) {
        return quota.unit() == QuotaUnit.CONCURRENT_REQUESTS
                ? LimitKind.CONCURRENCY
                : kinds.getOrDefault(quota.resource(), LimitKind.REQUESTS);
    }
}
