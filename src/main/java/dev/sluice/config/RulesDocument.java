package dev.sluice.config;

import java.util.HashMap;
import java.util.Map;

/** What a file of rows said at one time. It never changes. */
public final class RulesDocument {

    static final String PREFIX = "rate-limit.";
    /** What is said where there is no file. */
    public static final RulesDocument NONE = new RulesDocument("", ConfigNode.NONE);

    private final String name;
    private final ConfigNode root;
    /** By position, without quotes: they are not everywhere in settings' names. */
    private final Map<String, Integer> lines = new HashMap<>();

    RulesDocument(String name, ConfigNode root) {
        this.name = name;
        this.root = root;
        note(root);
    }

    private void note(ConfigNode part) {
        lines.put(bare(part.position()), part.line());
        part.children().forEach(this::note);
    }

    private static String bare(String position) {
        return position.replace("\"", "");
    }

    /** All of it, by the names of settings without {@code rate-limit.}. */
    public ConfigNode root() {
        return root;
    }

    /** Takes problems of settings, and names those that this file is to blame for by file, line and position. */
    public ConfigProblems problems() {
        return new ConfigProblems(this::told);
    }

    private String told(String property) {
        if (!property.startsWith(PREFIX)) {
            return property;
        }
        var position = property.substring(PREFIX.length());
        var line = line(position.endsWith(".*") ? position.substring(0, position.length() - 2) : position);
        return line == null || position.isEmpty() ? property : name + ':' + line + ": " + position;
    }

    /** @return null where the file does not say it; what a key or a price of the file lacks stands where that does */
    private Integer line(String position) {
        var line = lines.get(bare(position));
        return line != null || !position.startsWith("api-keys.") && !position.contains(".prices.")
                ? line
                : lines.get(bare(position.substring(0, position.lastIndexOf('.'))));
    }
}
