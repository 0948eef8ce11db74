package dev.sluice.policy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Finds the most specific rule of a path: of all rules whose path equals the request's path or is a prefix of it, the longest;
 * of these, the one whose first differing segment is literal; of these, the one that names the method.
 */
final class RuleMatcher {

    private static final class Node {
        final Map<String, Node> literals = new HashMap<>();
        final Map<String, LimitRule> byMethod = new HashMap<>();
        Node template;
        LimitRule anyMethod;

        LimitRule rule(String method, Predicate<LimitRule> applies) {
            var rule = byMethod.isEmpty() ? null : byMethod.get(method);
            if (rule != null && applies.test(rule)) {
                return rule;
            }
            return anyMethod != null && applies.test(anyMethod) ? anyMethod : null;
        }
    }

    private record Match(LimitRule rule, int depth) {
    }

    private final Node root = new Node();

    /**
     * @param method HTTP method in upper case; null for any
     * @return false if there is a rule of the same path and method
     */
    boolean add(String method, List<String> segments, LimitRule rule) {
        var node = root;
        for (var segment : segments) {
            if (isTemplate(segment)) {
                node.template = node.template == null ? new Node() : node.template;
                node = node.template;
            } else {
                node = node.literals.computeIfAbsent(segment, name -> new Node());
            }
        }
        if (method != null) {
            return node.byMethod.putIfAbsent(method, rule) == null;
        }
        boolean free = node.anyMethod == null;
        node.anyMethod = free ? rule : node.anyMethod;
        return free;
    }

    static boolean isTemplate(String segment) {
        return segment.length() > 2 && segment.startsWith("{") && segment.endsWith("}");
    }

    /** Returns the most specific rule, or null if none matches. */
    LimitRule find(String method, List<String> segments) {
        return find(method, segments, rule -> true);
    }

    /**
     * Returns the most specific rule of those that apply, or null if none matches.
     *
     * @param applies returns whether a rule counts; one that does not is treated as if it were not there
     */
    LimitRule find(String method, List<String> segments, Predicate<LimitRule> applies) {
        var match = find(root, method, segments, 0, applies);
        return match == null ? null : match.rule();
    }

    private static Match find(Node node, String method, List<String> segments, int depth, Predicate<LimitRule> applies) {
        Match best = null;
        if (depth < segments.size()) {
            var literal = node.literals.get(segments.get(depth));
            if (literal != null) {
                best = find(literal, method, segments, depth + 1, applies);
            }
            if (node.template != null) {
                var template = find(node.template, method, segments, depth + 1, applies);
                best = best == null || template != null && template.depth() > best.depth() ? template : best;
            }
        }
        if (best != null) {
            return best;
        }
        var rule = node.rule(method, applies);
        return rule == null ? null : new Match(rule, depth);
    }
}
