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
    final boolean element;

    private final Map<String, JsonPaths> children = new HashMap<>();

    private JsonPaths(String path, JsonPaths parent) {
        this.path = path;
        this.parent = parent;
        element = path.endsWith(ELEMENT);
    }

    public static JsonPaths at(String... paths) {
        var document = new JsonPaths("", null);
        for (var path : paths) {
            var place = document;
            for (var name : path.split("\\.")) {
                var in = place;
                place = in.children.computeIfAbsent(name,
                        child -> new JsonPaths(in.path.isEmpty() ? child : in.path + "." + child, in));
            }
        }
        return document;
    }

    /** What is of interest under this name; null where nothing is. */
    JsonPaths child(String name) {
        return children.get(name);
    }
}
