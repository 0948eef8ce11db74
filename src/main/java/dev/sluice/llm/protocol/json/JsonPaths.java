package dev.sluice.llm.protocol.json;

import java.util.HashMap;
import java.util.Map;

/** The places in a JSON document that are of interest, as a tree; the elements of an array are called {@code []}. */
public final class JsonPaths {

    static final String ELEMENT = "[]";

    /** Where it is: {@code usage.prompt_tokens}; of the document itself, empty. */
    final String path;
    /** What it is in; null for the document. */
    final JsonPaths parent;
    final boolean isElement;

    private final Map<String, JsonPaths> children = new HashMap<>();

    private JsonPaths(String path, JsonPaths parent) {
        this.path = path;
        this.parent = parent;
        isElement = path.endsWith(ELEMENT);
    }

    public static JsonPaths of(String... paths) {
        var root = new JsonPaths("", null);
        for (var path : paths) {
            var node = root;
            for (var name : path.split("\\.")) {
                var parent = node;
                node = parent.children.computeIfAbsent(name,
                        child -> new JsonPaths(parent.path.isEmpty() ? child : parent.path + "." + child, parent));
            }
        }
        return root;
    }

    /** What is of interest under this name; null where nothing is. */
    JsonPaths child(String name) {
        return children.get(name);
    }
}
