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

    private static final Paths USAGE = Paths.below("usage");
    private static final Paths RESPONSE_USAGE = Paths.below("response.usage");
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
        usage(fields, USAGE);
        usage(fields, RESPONSE_USAGE);
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

    private void usage(JsonFields fields, Paths paths) {
        if (!fields.has(paths.usage)) {
            return;
        }
        var input = firstNonNull(fields.count(paths.promptTokens), fields.count(paths.inputTokens));
        var output = firstNonNull(fields.count(paths.completionTokens), fields.count(paths.outputTokens));
        if (input != null || output != null) {
            usage(input, paths.cached.count(fields), paths.cacheWrite.count(fields), null, output);
        }
    }

    /** Paths of the counts of a usage object, which Chat Completions and Responses name differently. */
    private record Paths(String usage, String promptTokens, String inputTokens, String completionTokens, String outputTokens,
            Detail cached, Detail cacheWrite) {

        static Paths below(String usage) {
            return new Paths(usage, usage + ".prompt_tokens", usage + ".input_tokens", usage + ".completion_tokens",
                    usage + ".output_tokens", Detail.of(usage, "cached_tokens"), Detail.of(usage, "cache_write_tokens"));
        }
    }

    private record Detail(String ofPrompt, String ofInput) {

        static Detail of(String usage, String name) {
            return new Detail(usage + ".prompt_tokens_details." + name, usage + ".input_tokens_details." + name);
        }

        Long count(JsonFields fields) {
            return firstNonNull(fields.count(ofPrompt), fields.count(ofInput));
        }
    }
}
