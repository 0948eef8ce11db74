package dev.sluice.llm.protocol;

import java.util.Set;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** OpenAI: the last usage holds; in a stream of the Responses API it is the response's. */
final class OpenAiUsage extends UsageAccumulator {

    private static final JsonPaths WANTED = JsonPaths.at("type", "choices.[]", "model", "usage.prompt_tokens",
            "usage.completion_tokens", "usage.input_tokens", "usage.output_tokens",
            "usage.prompt_tokens_details.cached_tokens", "usage.prompt_tokens_details.cache_write_tokens",
            "usage.input_tokens_details.cached_tokens", "usage.input_tokens_details.cache_write_tokens",
            "response.model", "response.usage.input_tokens", "response.usage.output_tokens",
            "response.usage.input_tokens_details.cached_tokens",
            "response.usage.input_tokens_details.cache_write_tokens");

    private static final Set<String> LAST = Set.of("response.completed", "response.incomplete", "response.failed");

    private final Shape shape;

    OpenAiUsage(Shape shape) {
        super(WANTED);
        this.shape = shape;
    }

    @Override
    void take(JsonFields facts) {
        model(facts.text("model"));
        model(facts.text("response.model"));
        usage(facts, "usage");
        usage(facts, "response.usage");
        var type = facts.text("type");
        if (facts.has("choices.[]") || type != null && type.endsWith(".delta")) {
            content();
        }
        if (type != null && shape != Shape.CHAT && LAST.contains(type)) {
            finish();
        }
    }

    @Override
    void done() {
        if (shape != Shape.RESPONSES) {
            finish();
        }
    }

    private void usage(JsonFields facts, String at) {
        if (!facts.has(at)) {
            return;
        }
        var input = either(facts.count(at + ".prompt_tokens"), facts.count(at + ".input_tokens"));
        var output = either(facts.count(at + ".completion_tokens"), facts.count(at + ".output_tokens"));
        if (input != null || output != null) {
            usage(input, detail(facts, at, "cached_tokens"), detail(facts, at, "cache_write_tokens"), null, output);
        }
    }

    private static Long detail(JsonFields facts, String at, String name) {
        return either(facts.count(at + ".prompt_tokens_details." + name),
                facts.count(at + ".input_tokens_details." + name));
    }
}
