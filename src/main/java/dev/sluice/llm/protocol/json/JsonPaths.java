package dev.sluice.llm.protocol.json;

import java.util.HashMap;
import java.util.Map;

/** Paths of interest in a JSON document, as a tree. {@code []} stands for the elements of an array. Immutable once built. */
public final class JsonPaths {

    static final String ELEMENT = "[]";

    /** Path of this node, such as {@code usage.prompt_tokens}; empty for the document. */
    final String path;
    /** Parent node; null for the document. */
    final JsonPaths parent;
    final boolean isElement;

    private final Map<String, JsonPaths> children = new HashMap<>();

    private JsonPaths(String path, JsonPaths parent) {
        this.path = path;
        this.parent = parent;
        isElement = path.endsWith(ELEMENT);
    }

    /**
     * Builds the tree.
     *
     * @param paths paths with {@code .} between the names: {@code usage.prompt_tokens}, {@code choices.[]}
     * @return the root
     */
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

    /** Returns the child with a name; null if there is none. */
    JsonPaths child(String name) {
        return children.get(name);
    }
}
