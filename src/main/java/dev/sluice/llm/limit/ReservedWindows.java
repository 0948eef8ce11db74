package dev.sluice.llm.limit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.TokenUsage;

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
