package dev.sluice.service.rls;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import dev.sluice.service.rls.DescriptorRule.Option;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.WindowClaim;

/**
 * Node of the tree of a domain's descriptors. A child has a key and a value: a literal, a pattern with {@code *}, or none, which
 * matches every value. Immutable after it is built.
 */
final class DescriptorNode {

    /** Children with one key. */
    private static final class Values {

        private final Map<String, DescriptorNode> literals = new HashMap<>();
        /** The most specific one first: that with the most literal characters. */
        private final List<DescriptorNode> patterns = new ArrayList<>();
        private DescriptorNode any;
    }

    /** Order of patterns; those that are equal keep the order of the file. */
    private static final Comparator<DescriptorNode> MOST_SPECIFIC_FIRST = Comparator
            .comparingInt(node -> -node.pattern.literalLength());

    private final String key;
    private final String value;
    /** Null unless the value has a {@code *}. */
    private final ValuePattern pattern;
    private final DescriptorRule rule;
    private final boolean hasLimit;
    private final Map<String, Values> children = new HashMap<>();
    /** Keys of the path to this node, with dots. */
    private String path;
    private ClaimPlan unitPlan;

    /**
     * @param value empty for every value
     * @param rule the options, and the limit if there is one
     */
    DescriptorNode(String key, String value, DescriptorRule rule) {
        this.key = key;
        this.value = value;
        this.pattern = value.indexOf('*') >= 0 ? new ValuePattern(value) : null;
        this.rule = rule;
        this.hasLimit = rule != null && rule.limit() != null;
        this.path = key;
    }

    /** Returns the root of a domain. */
    static DescriptorNode root() {
        return new DescriptorNode("", "", null);
    }

    String key() {
        return key;
    }

    /** Returns the value as configured; empty for every value. */
    String value() {
        return value;
    }

    DescriptorRule rule() {
        return rule;
    }

    /** Returns the name of the windows: the name of the rule, or the keys of the path with dots. */
    String resource() {
        return rule.name().isEmpty() ? path : rule.name();
    }

    /**
     * Returns the claims of a request that costs one unit, which most do.
     *
     * @param claims creates them from the limit of the rule
     */
    ClaimPlan unitPlan(Supplier<List<WindowClaim>> claims) {
        var plan = unitPlan;
        if (plan == null) {
            plan = ClaimPlan.of(claims.get());
            unitPlan = plan; // a race creates an equal value
        }
        return plan;
    }

    /** Returns whether the descriptor that ends here has a limit. */
    boolean hasLimit() {
        return hasLimit;
    }

    /** Returns whether all values that match the pattern share a window. */
    boolean sharesWindow() {
        return rule.has(Option.SHARE_THRESHOLD);
    }

    /** Adds a child without children; returns false if there is one with the same key and value. */
    boolean add(DescriptorNode child) {
        child.path = path.isEmpty() ? child.key : path + '.' + child.key;
        var values = children.computeIfAbsent(child.key, name -> new Values());
        if (child.value.isEmpty()) {
            if (values.any != null) {
                return false;
            }
            values.any = child;
            return true;
        }
        if (child.pattern == null) {
            return values.literals.putIfAbsent(child.value, child) == null;
        }
        if (values.patterns.stream().anyMatch(node -> node.value.equals(child.value))) {
            return false;
        }
        values.patterns.add(child);
        values.patterns.sort(MOST_SPECIFIC_FIRST);
        return true;
    }

    /** Returns the most specific child that matches: the literal, then a pattern, then the one of every value; null if none does. */
    DescriptorNode child(String entryKey, String entryValue) {
        var values = children.get(entryKey);
        if (values == null) {
            return null;
        }
        var literal = values.literals.get(entryValue);
        if (literal != null) {
            return literal;
        }
        for (var node : values.patterns) {
            if (node.pattern.matches(entryValue)) {
                return node;
            }
        }
        return values.any;
    }
}
