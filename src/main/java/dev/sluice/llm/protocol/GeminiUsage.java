package dev.sluice.llm.protocol;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by Gemini. Each report replaces the previous one as a whole.
 *
 * @see <a href="https://ai.google.dev/api/generate-content#UsageMetadata">Gemini: UsageMetadata</a>
 */
final class GeminiUsage extends UsageAccumulator {

    private static final String GROUNDING = "candidates.[].groundingMetadata.";
    private static final String WEB_QUERIES = GROUNDING + "webSearchQueries";
    private static final String IMAGE_QUERIES = GROUNDING + "imageSearchQueries";
    /** Results of the searches. */
    private static final String CHUNKS = GROUNDING + "groundingChunks";
    /** Models whose searches are billed once a call; of later ones, each query is. */
    private static final String BILLED_BY_CALL = "gemini-2";
    private static final String PREDICTIONS = "predictions";
    private static final String USAGE = "usageMetadata.";
    private static final String PROMPT_DETAILS = USAGE + "promptTokensDetails";
    private static final String CANDIDATES_DETAILS = USAGE + "candidatesTokensDetails";
    private static final Map<String, UsageKind> INPUT_KINDS = Map.of("AUDIO", UsageKind.AUDIO_INPUT, "IMAGE",
            UsageKind.IMAGE_INPUT);
    private static final Map<String, UsageKind> OUTPUT_KINDS = Map.of("AUDIO", UsageKind.AUDIO_OUTPUT, "IMAGE",
            UsageKind.IMAGE_OUTPUT);

    private static final JsonPaths PATHS = JsonPaths.of("modelVersion", "error", "+candidates.[].content.parts.[].text",
            "+candidates.[].content.parts.[].functionCall", "+candidates.[].content.parts.[].executableCode.code",
            "candidates.[].finishReason",
            "promptFeedback.blockReason", WEB_QUERIES + ".[*]", IMAGE_QUERIES + ".[*]", CHUNKS + ".[].maps.uri",
            CHUNKS + ".[].web.uri",
            PREDICTIONS + ".[*].mimeType", USAGE + "promptTokenCount",
            USAGE + "toolUsePromptTokenCount",
            USAGE + "cachedContentTokenCount", USAGE + "candidatesTokenCount", USAGE + "thoughtsTokenCount",
            USAGE + "serviceTier", PROMPT_DETAILS + ".[*].modality", PROMPT_DETAILS + ".[*].tokenCount",
            CANDIDATES_DETAILS + ".[*].modality", CANDIDATES_DETAILS + ".[*].tokenCount");

    private final Shape shape;
    /** Queries of the events so far; an event repeats those of earlier ones, or has none. */
    private long searches;
    private boolean hasMaps;
    private boolean hasWeb;

    GeminiUsage(Shape shape) {
        super(PATHS, Dialect.GEMINI);
        this.shape = shape;
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("modelVersion"));
        searches = Math.max(searches, fields.elementCount(WEB_QUERIES) + fields.elementCount(IMAGE_QUERIES));
        hasMaps |= fields.has(CHUNKS + ".[].maps");
        hasWeb |= fields.has(CHUNKS + ".[].web");
        var input = UsageCounts.sum(fields.count(USAGE + "promptTokenCount"), fields.count(USAGE + "toolUsePromptTokenCount"));
        var output = UsageCounts.sum(fields.count(USAGE + "candidatesTokenCount"), fields.count(USAGE + "thoughtsTokenCount"));
        if (input != null || output != null) {
            usage(input, fields.count(USAGE + "cachedContentTokenCount"), null, null, output);
            if (usage() != null) {
                details(details(fields));
            }
        }
        if (shape == Shape.PREDICT && !fields.has("error")) { // images that were filtered are not billed
            usage(TokenUsage.NONE);
            long images = fields.elements(PREDICTIONS).stream()
                    .filter(image -> image.text(PREDICTIONS + ".[].mimeType") != null).count();
            details(new UsageDetails(images == 0 ? Map.of() : Map.of(UsageKind.IMAGE, images), ServiceTier.STANDARD, false, "",
                    List.of()));
        }
        if (fields.has("candidates.[]")) {
            countContent();
        }
        if (fields.has("error")) {
            markFailed();
        }
        if (fields.text("candidates.[].finishReason") != null || fields.text("promptFeedback.blockReason") != null) {
            markFinished();
        }
    }

    private UsageDetails details(JsonFields fields) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        addModalities(quantities, fields, PROMPT_DETAILS, INPUT_KINDS);
        addModalities(quantities, fields, CANDIDATES_DETAILS, OUTPUT_KINDS);
        addSearches(quantities);
        return new UsageDetails(UsageCounts.quantities(usage(), quantities),
                ServiceTier.of(Provider.GEMINI, fields.text(USAGE + "serviceTier")), false, "", List.of());
    }

    /** The queries do not say what they searched; all of them searched Google Maps if nothing else was found. */
    private void addSearches(Map<UsageKind, Long> quantities) {
        boolean once = model() != null && model().startsWith(BILLED_BY_CALL);
        boolean onlyMaps = hasMaps && !hasWeb;
        if (hasMaps) {
            quantities.put(UsageKind.MAPS_SEARCH, once || !onlyMaps ? 1 : Math.max(1, searches));
        }
        if (searches > 0 && !onlyMaps) {
            quantities.put(UsageKind.WEB_SEARCH, once ? 1 : searches);
        }
    }

    private static void addModalities(Map<UsageKind, Long> quantities, JsonFields fields, String path,
            Map<String, UsageKind> kinds) {
        for (var element : fields.elements(path)) {
            var modality = element.text(path + ".[].modality");
            var kind = modality == null ? null : kinds.get(modality);
            if (kind != null) {
                UsageCounts.put(quantities, kind, element.count(path + ".[].tokenCount"));
            }
        }
    }
}
