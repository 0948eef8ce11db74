package dev.sluice.policy;

import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Reads the endpoints that requests name: segments of the path without the API prefix. Immutable.
 *
 * @param prefix segments of the API prefix
 * @param caseInsensitive whether paths match regardless of case
 */
record EndpointPaths(List<String> prefix, boolean caseInsensitive) {

    /** Returns the HTTP method whose rules apply to a request, in upper case. */
    static String verb(String method) {
        var upper = method.toUpperCase(Locale.ROOT);
        return "HEAD".equals(upper) ? "GET" : upper;
    }

    /** Returns the endpoints that servers may read in a path; one if it is unambiguous. */
    Collection<List<String>> endpoints(String path) {
        var interpretations = RequestPath.interpretations(path);
        return interpretations.size() == 1
                ? List.of(endpoint(interpretations.iterator().next()))
                : interpretations.stream().map(this::endpoint).toList();
    }

    private List<String> endpoint(List<String> segments) {
        var folded = foldCase(segments);
        return Endpoint.startsWith(folded, prefix) ? folded.subList(prefix.size(), folded.size()) : folded;
    }

    private List<String> foldCase(List<String> segments) {
        return caseInsensitive ? RequestPath.foldCase(segments) : segments;
    }

    /**
     * Returns the values that a variable of a template may have, one for each endpoint that matches the template.
     *
     * @param template segments of a rule's path
     * @param name name of the variable, without braces
     */
    List<String> variable(List<String> template, String name, String path) {
        int index = template.indexOf('{' + name + '}');
        if (index < 0) {
            return List.of();
        }
        var folded = foldCase(template);
        return endpoints(path).stream().filter(endpoint -> matches(folded, endpoint)).map(endpoint -> endpoint.get(index))
                .toList();
    }

    private static boolean matches(List<String> template, List<String> endpoint) {
        if (endpoint.size() < template.size()) {
            return false;
        }
        for (int i = 0; i < template.size(); i++) {
            if (!RuleMatcher.isTemplate(template.get(i)) && !template.get(i).equals(endpoint.get(i))) {
                return false;
            }
        }
        return true;
    }
}
