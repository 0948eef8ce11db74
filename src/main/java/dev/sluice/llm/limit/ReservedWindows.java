package dev.sluice.llm.limit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.api.QuotaUnit;

/**
 * Windows that a call is counted in: those of the rules, and those of the caller's levels. Each identifier settles the reservation.
 *
 * @param identifiers identifiers of the windows, that of the rules first
 * @param tokens resources of tokens, that of the rules first
 * @param budgets resources of budgets, that of the rules first
 */
public record ReservedWindows(List<String> identifiers, List<String> tokens, List<String> budgets) {

    public ReservedWindows {
        identifiers = List.copyOf(identifiers);
        tokens = List.copyOf(tokens);
        budgets = List.copyOf(budgets);
    }

    /** Returns the usage of each resource. */
    Map<String, Long> usage(long usedTokens, long nanodollars) {
        if (tokens.size() == 1 && budgets.size() == 1) {
            return Map.of(tokens.get(0), usedTokens, budgets.get(0), nanodollars);
        }
        var usage = new HashMap<String, Long>();
        tokens.forEach(resource -> usage.put(resource, usedTokens));
        budgets.forEach(resource -> usage.put(resource, nanodollars));
        return usage;
    }

    /** Returns the unit of a resource. */
    QuotaUnit unit(String resource) {
        return budgets.contains(resource)
                ? QuotaUnit.NANODOLLARS
                : tokens.contains(resource) ? QuotaUnit.TOKENS : QuotaUnit.REQUESTS;
    }
}
