package dev.sluice.llm.wire;

import java.util.HashMap;
import java.util.Map;

/** The places in a JSON document that are of interest, as a tree; the elements of an array are called {@code []}. */
final class Wanted {

    static final String ELEMENT = "[]";

    /** Where it is: {@code usage.prompt_tokens}; of the document itself, empty. */
    final String path;
    /** What it is in; null for the document. */
    final Wanted parent;
    final boolean element;

    private final Map<String, Wanted> children = new HashMap<>();

    private Wanted(String path, Wanted parent) {
        this.path = path;
        this.parent = parent;
        element = path.endsWith(ELEMENT);
    }

    static Wanted at(String... paths) {
        var document = new Wanted("", null);
        for (var path : paths) {
            var place = document;
            for (var name : path.split("\\.")) {
                var in = place;
                place = in.children.computeIfAbsent(name,
                        child -> new Wanted(in.path.isEmpty() ? child : in.path + "." + child, in));
            }
        }
        return document;
    }

    /** What is of interest under this name; null where nothing is. */
    Wanted child(String name) {
        return children.get(name);
    }
}
