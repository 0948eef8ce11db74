package dev.sluice.llm.protocol.json;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Paths of interest in a JSON document, as a tree. {@code []} stands for the elements of an array, which share one value;
 * {@code [*]} for elements that are all collected ({@link JsonFields#elements}). The strings at a path that begins with {@code +},
 * and below it, are texts ({@link JsonFields#texts}). Immutable once built.
 */
public final class JsonPaths {

    static final String ELEMENT = "[]";
    private static final String COLLECTED_ELEMENT = "[*]";
    private static final String TEXT = "+";

    /** Path of this node, such as {@code usage.prompt_tokens}; empty for the document. */
    final String path;
    /** Parent node; null for the document. */
    final JsonPaths parent;
    final boolean isElement;
    /** True if the value here is of interest, not only those below it. */
    private boolean requested;
    /** True if all elements are collected. */
    private boolean collected;
    /** True if the strings here are texts. */
    private boolean text;

    private final Map<String, JsonPaths> children = new LinkedHashMap<>();
    /** Names of the children. */
    private String[] names;
    /** Every node of the tree by its path; null except for the document. */
    private Map<String, JsonPaths> nodes;
    /** Position in the order of the document: a node comes before everything below it. */
    private int index;
    /** Position after everything below this node. */
    private int end;

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
            boolean isText = path.startsWith(TEXT);
            for (var part : (isText ? path.substring(TEXT.length()) : path).split("\\.")) {
                var name = part.equals(COLLECTED_ELEMENT) ? ELEMENT : part;
                var parent = node;
                node = parent.children.computeIfAbsent(name,
                        child -> new JsonPaths(parent.path.isEmpty() ? child : parent.path + "." + child, parent));
                node.collected |= part.equals(COLLECTED_ELEMENT);
            }
            node.text |= isText;
            node.requested = true;
        }
        root.nodes = new HashMap<>();
        root.number(0, root.nodes);
        for (var path : paths) { // as keys: a name that is looked up often is then found without a comparison
            var node = root.nodes.remove(path);
            if (node != null) {
                root.nodes.put(path, node);
            }
        }
        return root;
    }

    /** @return the position after this node and everything below it */
    private int number(int position, Map<String, JsonPaths> all) {
        index = position;
        end = position + 1;
        all.put(path, this);
        names = children.keySet().toArray(String[]::new);
        for (var child : children.values()) {
            end = child.number(end, all);
        }
        return end;
    }

    /** Returns whether a string here is of interest. A string that is not may be long. */
    boolean isRequested() {
        return requested || collected;
    }

    boolean isCollected() {
        return collected;
    }

    boolean isText() {
        return text;
    }

    /** Returns whether there are no paths below this one. */
    boolean isLeaf() {
        return end == index + 1;
    }

    int index() {
        return index;
    }

    int end() {
        return end;
    }

    /** Returns the node at a path below the document; null if there is none. */
    JsonPaths node(String pathFromDocument) {
        return nodes.get(pathFromDocument);
    }

    /** Returns the name of the child that has a name in another case; null if there is none. */
    String childInOtherCase(String other) {
        for (var name : names) {
            if (name.equalsIgnoreCase(other)) {
                return name;
            }
        }
        return null;
    }

    /** Returns the child with a name; null if there is none. */
    JsonPaths child(String name) {
        return children.get(name);
    }
}
