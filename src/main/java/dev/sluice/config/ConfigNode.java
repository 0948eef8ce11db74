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
    static final ConfigNode NONE = new ConfigNode("", 0, Map.of());

    private final String position;
    private final int line;
    /** A String, a List of String, or a Map of String to ConfigNode. */
    private final Object value;

    ConfigNode(String position, int line, Object value) {
        this.position = position;
        this.line = line;
        this.value = value;
    }

    /** Where it stands: {@code endpoints."/auth/login".free}. */
    String position() {
        return position;
    }

    int line() {
        return line;
    }

    Object value() {
        return value;
    }

    /** The parts by their keys; none where this is a text or a list. */
    Stream<ConfigNode> children() {
        return value instanceof Map<?, ?> parts ? parts.values().stream().map(ConfigNode.class::cast) : Stream.empty();
    }

    /** Makes a problem of every key but these, so that none is misspelt unseen. */
    public void allow(Set<String> keys, ConfigProblems problems) {
        var known = keys.stream().sorted().collect(Collectors.joining(", "));
        parts(problems).forEach((key, part) -> {
            if (!keys.contains(key)) {
                part.problem(problems, "unknown here; known: " + known);
            }
        });
    }

    /** Its parts by their keys. */
    public Map<String, ConfigNode> parts(ConfigProblems problems) {
        if (value instanceof Map<?, ?> parts) {
            var typed = new LinkedHashMap<String, ConfigNode>();
            parts.forEach((key, part) -> typed.put((String) key, (ConfigNode) part));
            return typed;
        }
        problem(problems, "keys with values are wanted here, each on a line of its own");
        return Map.of();
    }

    /** The parts of a part; none where that is missing. */
    public Map<String, ConfigNode> parts(String key, ConfigProblems problems) {
        return find(key).map(part -> part.parts(problems)).orElse(Map.of());
    }

    /** The texts of its parts by their keys. */
    public Map<String, String> texts(ConfigProblems problems) {
        var texts = new LinkedHashMap<String, String>();
        parts(problems).forEach((key, part) -> part.text(problems).ifPresent(text -> texts.put(key, text)));
        return texts;
    }

    /** The texts of a part's parts; nothing where that is missing. */
    public Optional<Map<String, String>> texts(String key, ConfigProblems problems) {
        return find(key).map(part -> part.texts(problems));
    }

    /** The text of a part; nothing where that is missing. */
    public Optional<String> text(String key, ConfigProblems problems) {
        return find(key).flatMap(part -> part.text(problems));
    }

    /** The list that a part is, or the texts that it separates by commas; nothing where that is missing. */
    public Optional<List<String>> list(String key, ConfigProblems problems) {
        return find(key).map(part -> part.list(problems));
    }

    /** Adds a problem with this part; its value is not told. */
    public void problem(ConfigProblems problems, String allowed) {
        problems.add(RulesDocument.PREFIX + position, "(not shown)", allowed);
    }

    private Optional<ConfigNode> find(String key) {
        return value instanceof Map<?, ?> parts ? Optional.ofNullable((ConfigNode) parts.get(key)) : Optional.empty();
    }

    private Optional<String> text(ConfigProblems problems) {
        if (value instanceof String text) {
            return Optional.of(text);
        }
        problem(problems, "a single value is wanted here");
        return Optional.empty();
    }

    private List<String> list(ConfigProblems problems) {
        if (value instanceof Map) {
            problem(problems, "a list is wanted here, or values separated by commas");
            return List.of();
        }
        var texts = new ArrayList<String>();
        if (value instanceof String text) {
            for (var item : text.split(",")) {
                texts.add(item.strip());
            }
        } else {
            ((List<?>) value).forEach(item -> texts.add((String) item));
        }
        return texts;
    }
}
