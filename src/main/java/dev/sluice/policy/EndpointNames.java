package dev.sluice.policy;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

import dev.sluice.config.Suggestions;

/** Checks how the endpoint of a limit is written: {@code /path} or {@code METHOD /path}. */
public final class EndpointNames {

    private static final Pattern COLON_NAME = Pattern.compile("/:([^/]+)");
    /** Methods of HTTP and WebDAV. */
    private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
            "PROPFIND",
            "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT");

    private EndpointNames() {
    }

    /** Returns what is wrong with the name of an endpoint; empty if nothing is. */
    public static Optional<String> problem(String name) {
        var endpoint = Endpoint.parse(name, List.of(), false);
        return endpoint.isEmpty() ? Optional.of(Endpoint.ALLOWED) : notationProblem(endpoint.get());
    }

    /** Returns what is wrong with a method, which is case-sensitive; empty if nothing is. */
    static Optional<String> methodProblem(String method) {
        var upper = method.toUpperCase(Locale.ROOT);
        if (method.isEmpty() || !method.chars().allMatch(Character::isLetter)) {
            return Optional.of("HTTP methods, separated by commas, such as GET,POST");
        } else if (!method.equals(upper)) {
            return Optional.of("methods are in upper case; write '" + upper + "'");
        } else if (method.equals("HEAD")) {
            return Optional.of("HEAD counts as GET; write 'GET'");
        }
        return METHODS.contains(method) || isUnusual(method)
                ? Optional.empty()
                : Optional.of(method + " is no HTTP method that is forwarded" + Suggestions.hint(method, METHODS));
    }

    /** Reports wildcards of other programs, which would be literal text here, and methods that no request has. */
    static Optional<String> notationProblem(Endpoint endpoint) {
        var method = endpoint.method();
        if (method != null && !METHODS.contains(method)) {
            if (method.equals("HEAD")) {
                return Optional.of("HEAD counts by the rule of GET; write 'GET " + endpoint.path() + "'");
            } else if (method.equals("CONNECT")) {
                return Optional.of("CONNECT is never forwarded");
            } else if (!isUnusual(method)) {
                return Optional.of(method + " is no HTTP method" + Suggestions.hint(method, METHODS));
            }
        }
        if (endpoint.path().indexOf('*') >= 0) {
            return Optional
                    .of("'*' is no wildcard; a rule governs everything below its path, and {name} stands for one segment");
        } else if (endpoint.path().contains("/:")) {
            return Optional
                    .of("':name' is no wildcard; write '" + COLON_NAME.matcher(endpoint.path()).replaceAll("/{$1}") + "'");
        }
        return Optional.empty();
    }

    /**
     * Returns whether a method is unknown, and not like a known one.
     *
     * @param method method in upper case; null for any
     */
    static boolean isUnusual(String method) {
        return method != null && !METHODS.contains(method) && !method.equals("HEAD") && !method.equals("CONNECT")
                && Suggestions.hint(method, METHODS).isEmpty();
    }
}
