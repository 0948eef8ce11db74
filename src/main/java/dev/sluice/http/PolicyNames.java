package dev.sluice.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

import dev.sluice.api.QuotaStatus;

/**
 * Names of the quotas of one decision, all different: the resource, preceded by the identifier if it is not that of the first quota
 * ({@code team:growth/api}), and followed by the length of the window in seconds if there are several of the resource, and by a number
 * if a calendar period and a sliding window have the same length.
 */
final class PolicyNames {

    private PolicyNames() {
    }

    /** Returns the name of each quota. */
    static List<String> of(List<QuotaStatus> quotas) {
        if (quotas.size() == 1) {
            return List.of(quotas.get(0).resource());
        }
        var names = new ArrayList<String>(quotas.size());
        var quantities = new HashMap<String, Integer>();
        for (var quota : quotas) {
            var caller = quotas.get(0).identifier();
            var name = quota.identifier().equals(caller) ? quota.resource() : quota.identifier() + '/' + quota.resource();
            names.add(name);
            quantities.merge(name, 1, Integer::sum);
        }
        var numbers = new HashMap<String, Integer>();
        for (int i = 0; i < names.size(); i++) {
            if (quantities.get(names.get(i)) > 1) {
                var name = names.get(i) + '/' + quotas.get(i).window().toSeconds();
                int number = numbers.merge(name, 1, Integer::sum);
                names.set(i, number == 1 ? name : name + '/' + number);
            }
        }
        return names;
    }
}
