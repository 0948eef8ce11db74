package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.sluice.llm.protocol.json.JsonFields;

/**
 * Calls of tools in a response of OpenAI's Responses API that have a fee. A stream announces each several times: an id counts once.
 * Calls that have failed are not counted.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/responses/object">OpenAI: the response object</a>
 */
final class OpenAiToolCalls {

    /** Item of an event, and items of a document or of the response object of an event. */
    private static final String ITEM = "item";
    private static final List<String> OUTPUTS = List.of("output", "response.output");
    /** Tools of the request, which the response repeats with their defaults. */
    private static final List<String> TOOLS = List.of("tools", "response.tools");
    private static final List<String> FIELDS = List.of("type", "id", "status", "action.type", "container_id",
            "environment.container_id");
    private static final String CONTAINER = "container.memory_limit";
    /** Of a shell that runs in a container. */
    private static final String ENVIRONMENT = "environment.memory_limit";
    private static final String MODEL = "model";

    private static final Map<String, UsageKind> SEARCHES = Map.of("file_search_call", UsageKind.FILE_SEARCH, "web_search_call",
            UsageKind.WEB_SEARCH);
    private static final Map<String, Long> GIGABYTES = Map.of("1g", 1L, "4g", 4L, "16g", 16L, "64g", 64L);
    private static final String IMAGE_TOOL = "image_generation";
    /** Model of the tool if the response does not name it. */
    private static final String IMAGE_MODEL = "gpt-image-1";
    private static final int MAX_IDS = 1024;

    private final Map<String, UsageKind> searches = new HashMap<>();
    private final Set<String> containers = new HashSet<>();
    private long gigabytes = 1;
    private String imageModel = IMAGE_MODEL;

    /** Returns the paths that are read. */
    static List<String> paths() {
        var paths = new ArrayList<String>();
        FIELDS.forEach(field -> {
            paths.add(ITEM + '.' + field);
            OUTPUTS.forEach(output -> paths.add(output + ".[*]." + field));
        });
        TOOLS.forEach(
                tools -> List.of("type", CONTAINER, ENVIRONMENT, MODEL).forEach(field -> paths.add(tools + ".[*]." + field)));
        return paths;
    }

    /** Reads the items of a document or an event. */
    void accept(JsonFields fields) {
        if (fields.has(ITEM)) {
            item(fields, ITEM + '.');
        }
        OUTPUTS.forEach(output -> fields.elements(output).forEach(element -> item(element, output + ".[].")));
        TOOLS.forEach(tools -> fields.elements(tools).forEach(tool -> tool(tool, tools + ".[].")));
    }

    private void item(JsonFields fields, String prefix) {
        var type = fields.text(prefix + "type");
        var id = fields.text(prefix + "id");
        var kind = type == null ? null : SEARCHES.get(type);
        if (kind != null && id != null) {
            var action = fields.text(prefix + "action.type");
            boolean search = !"failed".equals(fields.text(prefix + "status")) && (action == null || action.equals("search"));
            if (search && searches.size() < MAX_IDS) {
                searches.put(id, kind);
            } else if (!search) {
                searches.remove(id);
            }
        }
        for (var field : List.of("container_id", "environment.container_id")) {
            var container = fields.text(prefix + field);
            if (container != null && containers.size() < MAX_IDS) {
                containers.add(container);
            }
        }
    }

    private void tool(JsonFields fields, String prefix) {
        for (var field : List.of(CONTAINER, ENVIRONMENT)) {
            var limit = fields.text(prefix + field);
            gigabytes = limit == null ? gigabytes : Math.max(gigabytes, GIGABYTES.getOrDefault(limit, 1L));
        }
        var model = fields.text(prefix + MODEL);
        if (IMAGE_TOOL.equals(fields.text(prefix + "type")) && model != null) {
            imageModel = model;
        }
    }

    /** Returns what has a fee. The memory of a container that the request refers to is not known: it counts as the smallest. */
    Map<UsageKind, Long> quantities() {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        searches.values().forEach(kind -> quantities.merge(kind, 1L, Long::sum));
        if (!containers.isEmpty()) {
            quantities.put(UsageKind.CONTAINER_GIGABYTE, containers.size() * gigabytes);
        }
        return quantities;
    }

    boolean isEmpty() {
        return searches.isEmpty() && containers.isEmpty();
    }

    /** Returns the model that generates the images of the tool. */
    String imageModel() {
        return imageModel;
    }
}
