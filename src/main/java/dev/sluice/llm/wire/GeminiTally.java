package dev.sluice.llm.wire;

/** Gemini: each usage takes the place of the one before as a whole. */
final class GeminiTally extends Tally {

    private static final Wanted WANTED = Wanted.at("modelVersion", "candidates.[].finishReason",
            "promptFeedback.blockReason", "usageMetadata.promptTokenCount", "usageMetadata.toolUsePromptTokenCount",
            "usageMetadata.cachedContentTokenCount", "usageMetadata.candidatesTokenCount",
            "usageMetadata.thoughtsTokenCount");

    GeminiTally() {
        super(WANTED);
    }

    @Override
    void take(Facts facts) {
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
