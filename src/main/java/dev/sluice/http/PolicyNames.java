package dev.sluice.http;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

import dev.sluice.api.QuotaStatus;

/**
 * Names of the quotas of one decision: the resource, preceded by the identifier if it is not that of the first quota
 * ({@code team:growth/api}), and followed by the length of the window in seconds if there are several of the resource.
 */
final class PolicyNames {

    private final String caller;
    /** Names of which there are several quotas. */
    private final Set<String> ambiguous;

    private PolicyNames(String caller, Set<String> ambiguous) {
        this.caller = caller;
        this.ambiguous = ambiguous;
    }

    static PolicyNames of(List<QuotaStatus> quotas) {
        if (quotas.size() <= 1) {
            return new PolicyNames(quotas.isEmpty() ? "" : quotas.get(0).identifier(), Set.of());
        }
        var caller = quotas.get(0).identifier();
        var seen = new HashSet<String>();
        var ambiguous = new HashSet<String>();
        for (var quota : quotas) {
            var name = base(quota, caller);
            if (!seen.add(name)) {
                ambiguous.add(name);
            }
        }
        return new PolicyNames(caller, ambiguous);
    }

    private static String base(QuotaStatus quota, String caller) {
        return quota.identifier().equals(caller) ? quota.resource() : quota.identifier() + '/' + quota.resource();
    }

    String name(QuotaStatus quota) {
        var name = base(quota, caller);
        return ambiguous.contains(name) ? name + '/' + quota.window().toSeconds() : name;
    }
}
