package dev.sluice.http;

import java.util.Arrays;
import java.util.List;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;

/**
 * Names of the quotas of one decision, all different: the resource, preceded by the identifier if it is not that of the first quota
 * ({@code team:growth/api}), and followed by the length of the window in seconds, or {@code in-flight}, if there are several of the resource, and by a number
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
        var names = new String[quotas.size()];
        boolean unique = true;
        for (int i = 0; i < names.length; i++) {
            var quota = quotas.get(i);
            names[i] = quota.identifier().equals(quotas.get(0).identifier())
                    ? quota.resource()
                    : quota.identifier() + '/' + quota.resource();
            unique &= occurrences(names, names[i], i) == 0;
        }
        return Arrays.asList(unique ? names : distinguished(names, quotas));
    }

    private static String suffix(QuotaStatus quota) {
        return quota.unit() == QuotaUnit.CONCURRENT_REQUESTS ? "in-flight" : Long.toString(quota.window().toSeconds());
    }

    private static String[] distinguished(String[] names, List<QuotaStatus> quotas) {
        var withWindows = names.clone();
        for (int i = 0; i < names.length; i++) {
            if (occurrences(names, names[i], names.length) > 1) {
                withWindows[i] = names[i] + '/' + suffix(quotas.get(i));
            }
        }
        var result = withWindows.clone();
        for (int i = 0; i < names.length; i++) {
            int earlier = occurrences(withWindows, withWindows[i], i);
            result[i] = earlier == 0 ? withWindows[i] : withWindows[i] + '/' + (earlier + 1);
        }
        return result;
    }

    /** Returns how often a name is among the first ones. */
    private static int occurrences(String[] names, String name, int count) {
        int occurrences = 0;
        for (int i = 0; i < count; i++) {
            occurrences += names[i].equals(name) ? 1 : 0;
        }
        return occurrences;
    }
}
