package dev.sluice.llm.protocol;

import java.util.Set;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by OpenAI. The last report is valid; in a stream of the Responses API it is part of the response object.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/responses-streaming">OpenAI: streaming events</a>
 */
final class OpenAiUsage extends UsageAccumulator {

    private static final JsonPaths PATHS = JsonPaths.of("type", "choices.[]", "model", "usage.prompt_tokens",
            "usage.completion_tokens", "usage.input_tokens", "usage.output_tokens",
            "usage.prompt_tokens_details.cached_tokens", "usage.prompt_tokens_details.cache_write_tokens",
            "usage.input_tokens_details.cached_tokens", "usage.input_tokens_details.cache_write_tokens",
            "response.model", "response.usage.input_tokens", "response.usage.output_tokens",
            "response.usage.input_tokens_details.cached_tokens",
            "response.usage.input_tokens_details.cache_write_tokens");

    private static final Set<String> FINAL_EVENT_TYPES = Set.of("response.completed", "response.incomplete", "response.failed");

    private final Shape shape;

    OpenAiUsage(Shape shape) {
        super(PATHS);
        this.shape = shape;
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("model"));
        model(fields.text("response.model"));
        usage(fields, "usage");
        usage(fields, "response.usage");
        var type = fields.text("type");
        if (fields.has("choices.[]") || type != null && type.endsWith(".delta")) {
            countContent();
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

    private void usage(JsonFields fields, String path) {
        if (!fields.has(path)) {
            return;
        }
        var input = firstNonNull(fields.count(path + ".prompt_tokens"), fields.count(path + ".input_tokens"));
        var output = firstNonNull(fields.count(path + ".completion_tokens"), fields.count(path + ".output_tokens"));
        if (input != null || output != null) {
            usage(input, detail(fields, path, "cached_tokens"), detail(fields, path, "cache_write_tokens"), null, output);
        }
    }

    private static Long detail(JsonFields fields, String path, String name) {
        return firstNonNull(fields.count(path + ".prompt_tokens_details." + name),
                fields.count(path + ".input_tokens_details." + name));
    }
}
