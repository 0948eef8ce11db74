package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by OpenAI. The last report is valid; in a stream of the Responses API it is part of the response object.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/responses-streaming">OpenAI: streaming events</a>
 */
final class OpenAiUsage extends UsageAccumulator {

    /** Fields of the document, or of the response object of an event. Chat Completions and Responses name them differently. */
    private static final List<String> INPUT = List.of("usage.prompt_tokens", "usage.input_tokens");
    private static final List<String> OUTPUT = List.of("usage.completion_tokens", "usage.output_tokens");
    private static final List<String> CACHED_INPUT = inputDetail("cached_tokens");
    private static final List<String> CACHE_WRITE = inputDetail("cache_write_tokens");
    private static final Map<UsageKind, List<String>> QUANTITIES = new EnumMap<>(Map.of(
            UsageKind.AUDIO_INPUT, inputDetail("audio_tokens"),
            UsageKind.IMAGE_INPUT, inputDetail("image_tokens"),
            UsageKind.AUDIO_OUTPUT, outputDetail("audio_tokens"),
            UsageKind.IMAGE_OUTPUT, outputDetail("image_tokens"),
            UsageKind.WEB_SEARCH, List.of("tool_usage.web_search.num_requests")));

    /** Output in a delta of a chat, and in one of the Responses API. */
    private static final List<String> CHAT_TEXTS = List.of("content", "refusal", "reasoning_content", "reasoning",
            "audio.transcript", "function_call.name", "function_call.arguments", "tool_calls.[].function.name",
            "tool_calls.[].function.arguments", "tool_calls.[].custom.name", "tool_calls.[].custom.input");
    private static final String RESPONSES_TEXT = "delta";
    /** Ends the type of a delta that is no text but audio in base64. */
    private static final String AUDIO = "audio.delta";

    /** Prefixes of the fields. */
    private static final List<String> ROOTS = List.of("", "response.");
    private static final JsonPaths PATHS = allPaths();
    private static final Set<String> FINAL_EVENT_TYPES = Set.of("response.completed", "response.incomplete", "response.failed");

    private final Shape shape;

    OpenAiUsage(Shape shape) {
        super(PATHS, Dialect.OPENAI);
        this.shape = shape;
    }

    private static List<String> inputDetail(String name) {
        return List.of("usage.prompt_tokens_details." + name, "usage.input_tokens_details." + name);
    }

    private static List<String> outputDetail(String name) {
        return List.of("usage.completion_tokens_details." + name, "usage.output_tokens_details." + name);
    }

    private static JsonPaths allPaths() {
        var paths = new ArrayList<>(List.of("type", "choices.[]", "error", "+choices.[].text", "+" + RESPONSES_TEXT));
        CHAT_TEXTS.forEach(name -> paths.add("+choices.[].delta." + name));
        for (var root : ROOTS) {
            paths.add(root + "model");
            paths.add(root + "service_tier");
            for (var field : List.of(INPUT, OUTPUT, CACHED_INPUT, CACHE_WRITE)) {
                field.forEach(name -> paths.add(root + name));
            }
            QUANTITIES.values().forEach(field -> field.forEach(name -> paths.add(root + name)));
        }
        return JsonPaths.of(paths.toArray(String[]::new));
    }

    @Override
    boolean hasText(JsonFields fields) {
        var type = fields.text("type");
        return type == null || !type.endsWith(AUDIO);
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("model"));
        model(fields.text("response.model"));
        ROOTS.forEach(root -> usage(fields, root));
        var type = fields.text("type");
        if (fields.has("choices.[]") || type != null && type.endsWith(".delta")) {
            countContent();
        }
        if (fields.has("error") || "error".equals(type) || "response.failed".equals(type)) {
            markFailed();
        }
        if (type != null && shape != Shape.CHAT && FINAL_EVENT_TYPES.contains(type)) {
            markFinished();
        }
    }

    @Override
    void onDoneMarker() {
        if (shape != Shape.RESPONSES) {
            markFinished();
        }
    }

    private void usage(JsonFields fields, String root) {
        if (!fields.has(root + "usage")) {
            return;
        }
        var input = count(fields, root, INPUT);
        var output = count(fields, root, OUTPUT);
        if (input == null && output == null) {
            return;
        }
        usage(input, count(fields, root, CACHED_INPUT), count(fields, root, CACHE_WRITE), null, output);
        if (usage() != null) {
            var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
            QUANTITIES.forEach((kind, field) -> put(quantities, kind, count(fields, root, field)));
            details(new UsageDetails(quantities(usage(), quantities),
                    ServiceTier.of(Provider.OPENAI, fields.text(root + "service_tier")), false, "", List.of()));
        }
    }

    private static Long count(JsonFields fields, String root, List<String> names) {
        Long count = null;
        for (var name : names) {
            count = firstNonNull(count, fields.count(root + name));
        }
        return count;
    }
}
