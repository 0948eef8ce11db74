package dev.sluice.llm.protocol;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by Gemini. Each report replaces the previous one as a whole.
 *
 * @see <a href="https://ai.google.dev/api/generate-content#UsageMetadata">Gemini: UsageMetadata</a>
 */
final class GeminiUsage extends UsageAccumulator {

    private static final JsonPaths PATHS = JsonPaths.of("modelVersion", "candidates.[].finishReason",
            "promptFeedback.blockReason", "usageMetadata.promptTokenCount", "usageMetadata.toolUsePromptTokenCount",
            "usageMetadata.cachedContentTokenCount", "usageMetadata.candidatesTokenCount",
            "usageMetadata.thoughtsTokenCount");

    GeminiUsage() {
        super(PATHS);
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("modelVersion"));
        var input = sum(fields.count("usageMetadata.promptTokenCount"),
                fields.count("usageMetadata.toolUsePromptTokenCount"));
        var output = sum(fields.count("usageMetadata.candidatesTokenCount"),
                fields.count("usageMetadata.thoughtsTokenCount"));
        if (input != null || output != null) {
            usage(input, fields.count("usageMetadata.cachedContentTokenCount"), null, null, output);
        }
        if (fields.has("candidates.[]")) {
            countContent();
        }
        if (fields.text("candidates.[].finishReason") != null || fields.text("promptFeedback.blockReason") != null) {
            markFinished();
        }
    }
}
