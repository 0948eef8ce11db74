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
 * A part of the file of rows: a text, a list of texts, or parts by their keys in the order of the file. Where it has another
 * form than it is asked for, that is a problem, and the answer as if nothing were there.
 */
public final class ConfigNode {

    /** Nothing. */
    static final ConfigNode EMPTY = new ConfigNode("", 0, Map.of());

    private final String keyPath;
    private final int line;
    /** A String, a List of String, or a Map of String to ConfigNode. */
    private final Object value;

    ConfigNode(String keyPath, int line, Object value) {
        this.keyPath = keyPath;
        this.line = line;
        this.value = value;
    }

    /** Where it stands: {@code endpoints."/auth/login".free}. */
    String keyPath() {
        return keyPath;
    }

    int line() {
        return line;
    }

    Object value() {
        return value;
    }

    /** The parts by their keys; none where this is a text or a list. */
    Stream<ConfigNode> children() {
        return value instanceof Map<?, ?> children ? children.values().stream().map(ConfigNode.class::cast) : Stream.empty();
    }

    /** Makes a problem of every key but these, so that none is misspelt unseen. */
    public void allowKeys(Set<String> allowed, ConfigProblems problems) {
        var known = allowed.stream().sorted().collect(Collectors.joining(", "));
        entries(problems).forEach((key, node) -> {
            if (!allowed.contains(key)) {
                node.addProblem(problems, "unknown here; known: " + known);
            }
        });
    }

    /** Its parts by their keys. */
    public Map<String, ConfigNode> entries(ConfigProblems problems) {
        if (value instanceof Map<?, ?> children) {
            var typed = new LinkedHashMap<String, ConfigNode>();
            children.forEach((key, node) -> typed.put((String) key, (ConfigNode) node));
            return typed;
        }
        addProblem(problems, "keys with values are wanted here, each on a line of its own");
        return Map.of();
    }

    /** The parts of a part; none where that is missing. */
    public Map<String, ConfigNode> entries(String key, ConfigProblems problems) {
        return find(key).map(node -> node.entries(problems)).orElse(Map.of());
    }

    /** The texts of its parts by their keys. */
    public Map<String, String> stringMap(ConfigProblems problems) {
        var strings = new LinkedHashMap<String, String>();
        entries(problems).forEach((key, node) -> node.string(problems).ifPresent(string -> strings.put(key, string)));
        return strings;
    }

    /** The texts of a part's parts; nothing where that is missing. */
    public Optional<Map<String, String>> stringMap(String key, ConfigProblems problems) {
        return find(key).map(node -> node.stringMap(problems));
    }

    /** The text of a part; nothing where that is missing. */
    public Optional<String> string(String key, ConfigProblems problems) {
        return find(key).flatMap(node -> node.string(problems));
    }

    /** The list that a part is, or the texts that it separates by commas; nothing where that is missing. */
    public Optional<List<String>> stringList(String key, ConfigProblems problems) {
        return find(key).map(node -> node.stringList(problems));
    }

    /** Adds a problem with this part; its value is not told. */
    public void addProblem(ConfigProblems problems, String allowed) {
        problems.add(RulesDocument.PREFIX + keyPath, "(not shown)", allowed);
    }

    private Optional<ConfigNode> find(String key) {
        return value instanceof Map<?, ?> children ? Optional.ofNullable((ConfigNode) children.get(key)) : Optional.empty();
    }

    private Optional<String> string(ConfigProblems problems) {
        if (value instanceof String string) {
            return Optional.of(string);
        }
        addProblem(problems, "a single value is wanted here");
        return Optional.empty();
    }

    private List<String> stringList(ConfigProblems problems) {
        if (value instanceof Map) {
            addProblem(problems, "a list is wanted here, or values separated by commas");
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
