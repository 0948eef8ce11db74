package dev.sluice.config;

import java.util.HashMap;
import java.util.Map;

/** What a file of rows said at one time. It never changes. */
public final class RulesDocument {

    static final String PREFIX = "rate-limit.";
    /** What is said where there is no file. */
    public static final RulesDocument EMPTY = new RulesDocument("", ConfigNode.EMPTY);

    private final String name;
    private final ConfigNode root;
    /** By position, without quotes: they are not everywhere in settings' names. */
    private final Map<String, Integer> lines = new HashMap<>();

    RulesDocument(String name, ConfigNode root) {
        this.name = name;
        this.root = root;
        indexLines(root);
    }

    private void indexLines(ConfigNode node) {
        lines.put(unquoted(node.keyPath()), node.line());
        node.children().forEach(this::indexLines);
    }

    private static String unquoted(String keyPath) {
        return keyPath.replace("\"", "");
    }

    /** All of it, by the names of settings without {@code rate-limit.}. */
    public ConfigNode root() {
        return root;
    }

    /** Takes problems of settings, and names those that this file is to blame for by file, line and position. */
    public ConfigProblems newProblems() {
        return new ConfigProblems(this::locate);
    }

    private String locate(String property) {
        if (!property.startsWith(PREFIX)) {
            return property;
        }
        var keyPath = property.substring(PREFIX.length());
        var line = line(keyPath.endsWith(".*") ? keyPath.substring(0, keyPath.length() - 2) : keyPath);
        return line == null || keyPath.isEmpty() ? property : name + ':' + line + ": " + keyPath;
    }

    /** @return null where the file does not say it; what a key or a price of the file lacks stands where that does */
    private Integer line(String keyPath) {
        var line = lines.get(unquoted(keyPath));
        return line != null || !keyPath.startsWith("api-keys.") && !keyPath.contains(".prices.")
                ? line
                : lines.get(unquoted(keyPath.substring(0, keyPath.lastIndexOf('.'))));
    }
}
