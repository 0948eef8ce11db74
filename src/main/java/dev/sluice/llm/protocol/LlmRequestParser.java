package dev.sluice.llm.protocol;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.estimate.PromptTokens;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.BodyBytes;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;
import io.vertx.core.buffer.Buffer;

/** Parses LLM requests of all providers. */
public final class LlmRequestParser {

    private static final int MAX_CHOICES = 128;
    /** Output tokens of a completion whose request sets no maximum. */
    private static final long DEFAULT_COMPLETION = 16;

    private static final String PREVIOUS_RESPONSE = "previous_response_id";
    private static final String CONVERSATION = "conversation";
    private static final String CONVERSATION_ID = CONVERSATION + ".id";
    private static final String STORE = "store";
    private static final String SERVICE_TIER = "service_tier";
    private static final String SPEED = "speed";
    private static final String REGION = "inference_geo";
    /** Prompt that the provider stores. */
    private static final String PROMPT = "prompt.id";
    private static final List<String> CACHED_CONTENTS = List.of("cachedContent", "cached_content");
    private static final String[] GEMINI_CONFIGS = {"generationConfig", "generation_config"};

    private static final JsonPaths OPENAI = withFurtherModels("model", "stream", "n", "best_of", "stream_options.include_usage",
            "max_completion_tokens", "max_tokens", "max_output_tokens", "background", STORE, SERVICE_TIER,
            PREVIOUS_RESPONSE, CONVERSATION, CONVERSATION_ID, PROMPT);
    private static final JsonPaths ANTHROPIC = withFurtherModels("model", "stream", "max_tokens", SPEED, REGION);
    private static final JsonPaths GEMINI = JsonPaths.of("generationConfig.maxOutputTokens",
            "generationConfig.max_output_tokens", "generation_config.maxOutputTokens",
            "generation_config.max_output_tokens", "generationConfig.candidateCount",
            "generationConfig.candidate_count", "generation_config.candidateCount",
            "generation_config.candidate_count", "serviceTier", SERVICE_TIER, "cachedContent", "cached_content");

    private LlmRequestParser() {
    }

    private static JsonPaths withFurtherModels(String... paths) {
        return JsonPaths.of(Stream.concat(Stream.of(paths), RequestFields.FURTHER_MODELS.stream()).toArray(String[]::new));
    }

    /**
     * Parses the body of a request. Fields that are not needed are skipped, whatever they contain.
     *
     * @param provider the provider that is called
     * @param operation the operation, from the request's path
     * @param body the JSON body
     * @return the request
     * @throws InvalidRequestBodyException if the body is not a JSON object, or the model's name is invalid
     */
    public static LlmRequest parse(Provider provider, ProviderOperation operation, Buffer body) {
        return parse(provider, operation, "", body);
    }

    /**
     * Parses the body of a request, as {@link #parse(Provider, ProviderOperation, Buffer)}.
     *
     * @param contentType the request's {@code Content-Type}; {@code multipart/form-data} where the operation takes files
     */
    public static LlmRequest parse(Provider provider, ProviderOperation operation, String contentType, Buffer body) {
        if (operation.shape().isMedia()) {
            var media = MediaRequestParser.parse(operation, contentType, body);
            return operation.model().isEmpty() ? media : media.withModel(operation.model());
        }
        if (operation.shape() == Shape.PREDICT) {
            return MediaRequestParser.predict(operation, body);
        }
        return parseText(operation.shape().isOpenAiForm() ? Provider.OPENAI : provider, operation, body);
    }

    /** @param provider the provider whose form the request has */
    private static LlmRequest parseText(Provider provider, ProviderOperation operation, Buffer body) {
        var rewriter = operation.shape().requestsUsage() ? new IncludeUsageRewriter() : null;
        var bytes = BodyBytes.of(body);
        var prompt = new PromptTokens(Dialect.valueOf(provider.type().name()), bytes.bytes());
        var fields = RequestFields.read(switch (provider.type()) {
            case OPENAI -> OPENAI;
            case ANTHROPIC -> ANTHROPIC;
            case GEMINI -> GEMINI;
        }, bytes, prompt, rewriter);
        boolean modelInPath = !operation.model().isEmpty(); // of Gemini, and of Azure's deployments
        boolean streaming = provider.is(ProviderType.GEMINI) ? operation.streaming() : fields.isTrue("stream");
        boolean chatStream = rewriter != null && streaming;
        boolean usageRequested = chatStream && fields.isTrue("stream_options.include_usage");
        var references = references(operation.shape(), fields);
        var model = modelInPath ? operation.model() : RequestFields.model(fields);
        return new LlmRequest(model, streaming, Math.min(prompt.tokens(model), TokenUsage.MAX),
                maxOutputTokens(provider, operation.shape(), fields), choices(provider, fields),
                operation.shape() == Shape.RESPONSES && fields.has("background") && !fields.isFalse("background"),
                operation.shape() == Shape.RESPONSES && !fields.isFalse(STORE),
                usageRequested, details(provider, fields), RequestFields.furtherModels(fields, modelInPath ? model : null),
                prompt.hasFiles() || fields.has(PROMPT) || CACHED_CONTENTS.stream().anyMatch(fields::has)
                        || !references.isEmpty(),
                references, body,
                chatStream && !usageRequested ? rewriter.rewrite(body) : body);
    }

    private static List<String> references(Shape shape, JsonFields fields) {
        return shape == Shape.RESPONSES
                ? Stream.of(PREVIOUS_RESPONSE, CONVERSATION, CONVERSATION_ID).map(fields::text).filter(Objects::nonNull)
                        .toList()
                : List.of();
    }

    /** Returns what makes tokens dearer than usual: a cheaper tier may not be granted. */
    private static UsageDetails details(Provider provider, JsonFields fields) {
        var name = fields.text(SERVICE_TIER) == null ? fields.text("serviceTier") : fields.text(SERVICE_TIER);
        var tier = ServiceTier.of(provider, name);
        boolean fast = "fast".equals(fields.text(SPEED));
        var region = fields.text(REGION) == null ? "" : fields.text(REGION);
        return tier == ServiceTier.STANDARD && !fast && region.isEmpty()
                ? UsageDetails.NONE
                : new UsageDetails(Map.of(), tier == ServiceTier.FLEX ? ServiceTier.STANDARD : tier, fast, region, List.of());
    }

    private static long maxOutputTokens(Provider provider, Shape shape, JsonFields fields) {
        if (shape == Shape.EMBEDDINGS || shape == Shape.OPENAI_EMBEDDINGS) {
            return 0;
        }
        if (provider.is(ProviderType.GEMINI)) {
            long cap = largestGeminiValue(fields, -1, "maxOutputTokens", "max_output_tokens");
            return cap == 0 ? -1 : cap;
        }
        return switch (shape) {
            case COMPLETION -> orDefault(tokenCap(fields, "max_tokens"), DEFAULT_COMPLETION);
            case CHAT -> tokenCap(fields, "max_completion_tokens", "max_tokens");
            case RESPONSES -> tokenCap(fields, "max_output_tokens");
            case OTHER -> tokenCap(fields, "max_completion_tokens", "max_tokens", "max_output_tokens");
            default -> tokenCap(fields, "max_tokens");
        };
    }

    private static int choices(Provider provider, JsonFields fields) {
        long requested = switch (provider.type()) {
            case OPENAI -> Math.max(orElse(fields.requestedCount("n"), 1), orElse(fields.requestedCount("best_of"), 1));
            case ANTHROPIC -> 1;
            case GEMINI -> largestGeminiValue(fields, 1, "candidateCount", "candidate_count");
        };
        return (int) Math.max(1, Math.min(requested, MAX_CHOICES));
    }

    /**
     * Returns the first plausible cap; -1 if there is none. The provider rejects implausible ones; zero stands for no limit at some.
     */
    private static long tokenCap(JsonFields fields, String... names) {
        for (var field : names) {
            long cap = orElse(fields.count(field), -1);
            if (cap > 0 && isPlausible(cap)) {
                return cap;
            }
        }
        return -1;
    }

    /** Returns the largest value under any of the names that Gemini accepts. */
    private static long largestGeminiValue(JsonFields fields, long defaultValue, String camelCaseName, String snakeCaseName) {
        long largest = defaultValue;
        for (var config : GEMINI_CONFIGS) {
            for (var name : List.of(camelCaseName, snakeCaseName)) {
                long value = orElse(fields.requestedCount(config + "." + name), -1);
                largest = isPlausible(value) ? Math.max(largest, value) : largest;
            }
        }
        return largest;
    }

    private static boolean isPlausible(long count) {
        return count >= 0 && count <= TokenUsage.MAX;
    }

    private static long orDefault(long cap, long defaultCap) {
        return cap < 0 ? defaultCap : cap;
    }

    private static long orElse(Long count, long defaultValue) {
        return count == null ? defaultValue : count;
    }
}
