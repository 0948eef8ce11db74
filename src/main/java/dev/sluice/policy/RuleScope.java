package dev.sluice.policy;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Requests that a rule is narrowed to. Immutable.
 *
 * @param methods HTTP methods in upper case; empty for all
 * @param hosts hosts in lower case, {@code *.example.com} for those below a domain; empty for all
 */
public record RuleScope(Set<String> methods, List<String> hosts) {

    /** Scope of a rule that is not narrowed. */
    public static final RuleScope ALL = new RuleScope(Set.of(), List.of());

    /**
     * Returns whether a rule with this scope applies.
     *
     * @param method HTTP method in upper case; GET for HEAD
     * @param request the request; one without a host may be for any
     */
    boolean contains(String method, ApiRequest request) {
        if (this == ALL) {
            return true;
        }
        return (methods.isEmpty() || methods.contains(method))
                && (hosts.isEmpty() || containsHost(hostOf(request.authority().get())));
    }

    private boolean containsHost(String host) {
        if (host == null) {
            return true;
        }
        for (var pattern : hosts) {
            if (pattern.equals(host) || pattern.startsWith("*") && host.length() >= pattern.length()
                    && host.endsWith(pattern.substring(1))) {
                return true;
            }
        }
        return false;
    }

    /** Returns the host of an authority in lower case, without its port and the dot of the root; null if there is none. */
    private static String hostOf(String authority) {
        if (authority == null) {
            return null;
        }
        var text = authority.strip().toLowerCase(Locale.ROOT);
        int end = text.indexOf(':', text.startsWith("[") ? Math.max(0, text.indexOf(']')) : 0);
        var host = end < 0 ? text : text.substring(0, end);
        while (host.endsWith(".")) {
            host = host.substring(0, host.length() - 1);
        }
        return host.isEmpty() ? null : host;
    }
}
