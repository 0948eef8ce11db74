package dev.sluice.llm.protocol;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Gemini: each usage takes the place of the one before as a whole. */
final class GeminiUsage extends UsageAccumulator {

    private static final JsonPaths WANTED = JsonPaths.at("modelVersion", "candidates.[].finishReason",
            "promptFeedback.blockReason", "usageMetadata.promptTokenCount", "usageMetadata.toolUsePromptTokenCount",
            "usageMetadata.cachedContentTokenCount", "usageMetadata.candidatesTokenCount",
            "usageMetadata.thoughtsTokenCount");

    GeminiUsage() {
        super(WANTED);
    }

    @Override
    void take(JsonFields facts) {
        model(facts.text("modelVersion"));
        var input = sum(facts.count("usageMetadata.promptTokenCount"),
                facts.count("usageMetadata.toolUsePromptTokenCount"));
        var output = sum(facts.count("usageMetadata.candidatesTokenCount"),
                facts.count("usageMetadata.thoughtsTokenCount"));
        if (input != null || output != null) {
            usage(input, facts.count("usageMetadata.cachedContentTokenCount"), null, null, output);
        }
        if (facts.has("candidates.[]")) {
            content();
        }
        if (facts.text("candidates.[].finishReason") != null || facts.text("promptFeedback.blockReason") != null) {
            finish();
        }
    }
}
