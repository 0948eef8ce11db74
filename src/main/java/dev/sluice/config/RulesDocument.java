package dev.sluice.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Immutable content of a rules file. */
public final class RulesDocument {

    static final String PREFIX = "rate-limit.";
    /** Stands for a missing file. */
    public static final RulesDocument EMPTY = new RulesDocument("", ConfigNode.EMPTY);

    private final String name;
    private final ConfigNode root;
    /** Line numbers by unquoted key path: not all names of settings are quoted. */
    private final Map<String, Integer> lines = new HashMap<>();
    private final List<ConfigNode> withoutValue = new ArrayList<>();

    RulesDocument(String name, ConfigNode root) {
        this.name = name;
        this.root = root;
        indexLines(root);
    }

    private void indexLines(ConfigNode node) {
        lines.put(unquoted(node.keyPath()), node.line());
        if (node.value() == null) {
            withoutValue.add(node);
        }
        node.allChildren().forEach(this::indexLines);
    }

    private static String unquoted(String keyPath) {
        return keyPath.replace("\"", "");
    }

    /** Returns the name of the file. */
    public String name() {
        return name;
    }

    /** Returns the root node. Its keys are the names of settings without {@code rate-limit.}. */
    public ConfigNode root() {
        return root;
    }

    /**
     * Returns a new collector of problems that names settings of this file by file, line and key path. It has a problem for each key
     * without a value.
     */
    public ConfigProblems newProblems() {
        var problems = new ConfigProblems(this::locate);
        withoutValue.forEach(node -> node.addProblem(problems, "", "has no value; give it one, or remove the key"));
        return problems;
    }

    /** Returns file and line of a setting, {@code rules.yaml:3}; empty if this file does not contain it. */
    public Optional<String> place(String property) {
        var located = locate(property);
        return located.equals(property) ? Optional.empty() : Optional.of(located.substring(0, located.indexOf(": ")));
    }

    private String locate(String property) {
        if (!property.startsWith(PREFIX)) {
            return property;
        }
        var keyPath = property.substring(PREFIX.length());
        var line = line(keyPath.endsWith(".*") ? keyPath.substring(0, keyPath.length() - 2) : keyPath);
        return line == null || keyPath.isEmpty() ? property : name + ':' + line + ": " + keyPath;
    }

    /**
     * Returns the line of a setting, or null if the file does not contain it. A missing property of an API key or a price has
     * the line of its parent.
     */
    private Integer line(String keyPath) {
        var line = lines.get(unquoted(keyPath));
        return line != null || !keyPath.startsWith("api-keys.") && !keyPath.contains(".prices.")
                ? line
                : lines.get(unquoted(keyPath.substring(0, keyPath.lastIndexOf('.'))));
    }
}
