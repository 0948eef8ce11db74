package dev.sluice.policy;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

import dev.sluice.api.Identifiers;

/**
 * Endpoint of a rule.
 *
 * @param method HTTP method in upper case; null for any
 * @param path path as configured, without the API prefix
 * @param segments its segments; in lower case if paths match regardless of case
 */
record Endpoint(String method, String path, List<String> segments) {

    static final String ALLOWED = "the endpoint must be '/path' or 'METHOD /path', at most " + Endpoint.MAX_PATH_LENGTH
            + " characters, with {name} for any segment";

    /** In characters; with {@code api:} and a method in front, a path makes a resource name of at most 256 characters. */
    private static final int MAX_PATH_LENGTH = 240;

    /**
     * Parses the name of an endpoint. A path with the API prefix is the same endpoint as the path without it.
     *
     * @param prefix segments of the API prefix
     * @return empty if the name is invalid
     */
    static Optional<Endpoint> parse(String name, List<String> prefix, boolean caseInsensitive) {
        var text = name.strip();
        int space = text.indexOf(' ');
        var method = space < 0 ? null : text.substring(0, space).toUpperCase(Locale.ROOT);
        var path = space < 0 ? text : text.substring(space + 1).strip();
        if (!isPath(path) || method != null && !method.chars().allMatch(Character::isLetter)
                || !Identifiers.isValid(CurrentPolicy.RESOURCE_PREFIX + text)) {
            return Optional.empty();
        }
        var segments = segments(path, caseInsensitive);
        return Optional.of(startsWith(segments, prefix)
                ? new Endpoint(method, pathAfter(path, prefix.size()), segments.subList(prefix.size(), segments.size()))
                : new Endpoint(method, path, segments));
    }

    static boolean isPath(String path) {
        if (!path.startsWith("/") || path.indexOf('?') >= 0 || path.indexOf('#') >= 0
                || !Identifiers.isValid(CurrentPolicy.RESOURCE_PREFIX + path)
                || path.length() > MAX_PATH_LENGTH) {
            return false;
        }
        for (var segment : RequestPath.parseConfigured(path)) {
            boolean braces = segment.indexOf('{') >= 0 || segment.indexOf('}') >= 0;
            if (braces && !RuleMatcher.isTemplate(segment)) {
                return false;
            }
        }
        return true;
    }

    static List<String> segments(String path, boolean caseInsensitive) {
        var segments = RequestPath.parseConfigured(path);
        return caseInsensitive ? RequestPath.foldCase(segments) : segments;
    }

    static boolean startsWith(List<String> segments, List<String> prefix) {
        int length = prefix.size();
        return length > 0 && segments.size() >= length && segments.subList(0, length).equals(prefix);
    }

    /** Returns the part of a path behind a number of segments; duplicate slashes separate no segments. */
    private static String pathAfter(String path, int segments) {
        int end = 0;
        for (int i = 0; i < segments; i++) {
            while (end < path.length() && path.charAt(end) == '/') {
                end++;
            }
            end = path.indexOf('/', end) < 0 ? path.length() : path.indexOf('/', end);
        }
        return end == path.length() ? "/" : path.substring(end);
    }

    /** Returns the resource name of the rule. */
    String resource() {
        return CurrentPolicy.RESOURCE_PREFIX + (method == null ? "" : method + " ") + path;
    }

    boolean isSame(Endpoint other) {
        return segments.equals(other.segments) && (method == null ? other.method == null : method.equals(other.method));
    }
}
