package dev.sluice.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Node of a rules file: a string, a list of strings or of nodes, or child nodes by key in the order of the file. A node that is not of the
 * requested form is reported as a problem and treated as missing.
 */
public final class ConfigNode {

    static final ConfigNode EMPTY = new ConfigNode("", "", 0, Map.of());

    private final String key;
    private final String keyPath;
    private final int line;
    /**
     * A {@code String}, a {@code List<String>}, a {@code List<ConfigNode>} or a {@code Map<String, ConfigNode>}; null for a key without
     * a value, which {@link RulesDocument} reports and all others take for missing.
     */
    private final Object value;

    ConfigNode(String key, String keyPath, int line, Object value) {
        this.key = key;
        this.keyPath = keyPath;
        this.line = line;
        this.value = value;
    }

    /** Returns the path of keys to this node, such as {@code endpoints."/auth/login".free}. */
    String keyPath() {
        return keyPath;
    }

    int line() {
        return line;
    }

    Object value() {
        return value;
    }

    /** Returns the key of this node. */
    public String key() {
        return key;
    }

    /** Returns the child nodes; none if this is a string or a list of strings. */
    public Stream<ConfigNode> children() {
        return allChildren().filter(child -> child.value != null);
    }

    /** Returns the child nodes, also those of keys without a value. */
    Stream<ConfigNode> allChildren() {
        return value instanceof Map<?, ?> children
                ? children.values().stream().map(ConfigNode.class::cast)
                : value instanceof List<?> items
                        ? items.stream().filter(ConfigNode.class::isInstance).map(ConfigNode.class::cast)
                        : Stream.empty();
    }

    /** Returns whether this is a list. */
    public boolean isList() {
        return value instanceof List<?>;
    }

    /** Returns whether this is a mapping of keys to values. */
    public boolean isMap() {
        return value instanceof Map<?, ?>;
    }

    /** Returns a copy without one of the children. */
    public ConfigNode without(String child) {
        var others = new LinkedHashMap<Object, Object>((Map<?, ?>) value);
        others.remove(child);
        return new ConfigNode(key, keyPath, line, others);
    }

    /** Returns a child; empty if it is missing. */
    public Optional<ConfigNode> child(String key) {
        return find(key);
    }

    /** Returns the items of a list of mappings. */
    public List<ConfigNode> items(ConfigProblems problems) {
        if (value instanceof List<?> items && items.stream().allMatch(ConfigNode.class::isInstance)) {
            return items.stream().map(ConfigNode.class::cast).toList();
        }
        addProblem(problems, "must be a list of mappings");
        return List.of();
    }

    /** Reports a problem with this node, with its value. */
    public void addProblem(ConfigProblems problems, String given, String allowed) {
        problems.add(RulesDocument.PREFIX + keyPath, given, allowed);
    }

    /** Reports every key that is not allowed, so that misspelt keys are noticed. */
    public void allowKeys(Set<String> allowed, ConfigProblems problems) {
        var known = allowed.stream().sorted().collect(Collectors.joining(", "));
        entries(problems).forEach((key, node) -> {
            if (!allowed.contains(key)) {
                node.addProblem(problems, "an unknown key; allowed: " + known + Suggestions.hint(key, allowed));
            }
        });
    }

    /** Returns the child nodes by key. */
    public Map<String, ConfigNode> entries(ConfigProblems problems) {
        if (isMap()) {
            var typed = new LinkedHashMap<String, ConfigNode>();
            children().forEach(child -> typed.put(child.key, child));
            return typed;
        }
        addProblem(problems, "must be a mapping of keys to values");
        return Map.of();
    }

    /** Returns the child nodes of a child by key; empty if the child is missing. */
    public Map<String, ConfigNode> entries(String key, ConfigProblems problems) {
        return find(key).map(node -> node.entries(problems)).orElse(Map.of());
    }

    /** Returns the strings of the child nodes by key. */
    public Map<String, String> stringMap(ConfigProblems problems) {
        var strings = new LinkedHashMap<String, String>();
        entries(problems).forEach((key, node) -> node.string(problems).ifPresent(string -> strings.put(key, string)));
        return strings;
    }

    /**
     * Returns the strings of the child nodes by key, as {@link #stringMapOrString}, with the items of lists joined by commas.
     *
     * @param lists keys whose values may be lists
     */
    public Map<String, String> stringMapOrString(String unnamedKey, Set<String> lists, ConfigProblems problems) {
        if (value instanceof String string) {
            return Map.of(unnamedKey, string);
        }
        var strings = new LinkedHashMap<String, String>();
        entries(problems).forEach((name, node) -> (lists.contains(name) && node.isList()
                ? Optional.of(String.join(",", node.stringList(problems)))
                : node.string(problems)).ifPresent(string -> strings.put(name, string)));
        return strings;
    }

    /** Returns the strings of the child nodes by key; if this is a string itself, it alone, under a key of its own. */
    public Map<String, String> stringMapOrString(String unnamedKey, ConfigProblems problems) {
        return value instanceof String string ? Map.of(unnamedKey, string) : stringMap(problems);
    }

    /** Returns the strings of a child's child nodes by key; empty if the child is missing. */
    public Optional<Map<String, String>> stringMap(String key, ConfigProblems problems) {
        return find(key).map(node -> node.stringMap(problems));
    }

    /** Returns the string of a child; empty if the child is missing. */
    public Optional<String> string(String key, ConfigProblems problems) {
        return find(key).flatMap(node -> node.string(problems));
    }

    /** Returns the list of a child, or the items of its comma-separated string; empty if the child is missing. */
    public Optional<List<String>> stringList(String key, ConfigProblems problems) {
        return find(key).map(node -> node.stringList(problems));
    }

    /** Reports a problem with this node, without its value. */
    public void addProblem(ConfigProblems problems, String allowed) {
        problems.add(RulesDocument.PREFIX + keyPath, "(not shown)", allowed);
    }

    private Optional<ConfigNode> find(String key) {
        return value instanceof Map<?, ?> children
                ? Optional.ofNullable((ConfigNode) children.get(key)).filter(child -> child.value != null)
                : Optional.empty();
    }

    /** Returns the string of this node; empty if it is not one. */
    public Optional<String> string(ConfigProblems problems) {
        if (value instanceof String string) {
            return Optional.of(string);
        }
        addProblem(problems, "must be a single value");
        return Optional.empty();
    }

    private List<String> stringList(ConfigProblems problems) {
        if (value instanceof Map || value instanceof List<?> items && items.stream().anyMatch(ConfigNode.class::isInstance)) {
            addProblem(problems, "must be a list, or values separated by commas");
            return List.of();
        }
        var strings = new ArrayList<String>();
        if (value instanceof String string) {
            for (var item : string.split(",")) {
                strings.add(item.strip());
            }
        } else {
            ((List<?>) value).forEach(item -> strings.add((String) item));
        }
        return strings;
    }
}
