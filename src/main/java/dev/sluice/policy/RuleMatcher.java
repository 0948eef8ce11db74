package dev.sluice.policy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the row of a path: of all rows whose path is the request's or above it, the longest; of those the one that is literal
 * first; of those the one that names the method.
 */
final class RuleMatcher {

    private static final class Node {
        final Map<String, Node> literals = new HashMap<>();
        final Map<String, LimitRule> byMethod = new HashMap<>();
        Node template;
        LimitRule any;

        LimitRule row(String method) {
            var row = byMethod.isEmpty() ? null : byMethod.get(method);
            return row == null ? any : row;
        }
    }

    private record Found(LimitRule row, int depth) {
    }

    private final Node root = new Node();

    /**
     * @param method null: any
     * @return false where there is such a row already
     */
    boolean add(String method, List<String> segments, LimitRule row) {
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
            return node.byMethod.putIfAbsent(method, row) == null;
        }
        boolean free = node.any == null;
        node.any = free ? row : node.any;
        return free;
    }

    static boolean isTemplate(String segment) {
        return segment.length() > 2 && segment.startsWith("{") && segment.endsWith("}");
    }

    /** @return null where no row covers the path */
    LimitRule find(String method, List<String> segments) {
        var found = find(root, method, segments, 0);
        return found == null ? null : found.row();
    }

    private static Found find(Node node, String method, List<String> segments, int depth) {
        Found best = null;
        if (depth < segments.size()) {
            var literal = node.literals.get(segments.get(depth));
            if (literal != null) {
                best = find(literal, method, segments, depth + 1);
            }
            if (node.template != null) {
                var template = find(node.template, method, segments, depth + 1);
                best = best == null || template != null && template.depth() > best.depth() ? template : best;
            }
        }
        if (best != null) {
            return best;
        }
        var row = node.row(method);
        return row == null ? null : new Found(row, depth);
    }
}
