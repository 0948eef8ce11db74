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
    private static final String TOOL_SERVERS = "mcp_servers";
    private static final List<String> INPUTS = List.of(PROMPT, TOOL_SERVERS);
    /** Inputs of Gemini that are not in the request: a cached one, and results of tools that Google runs. */
    private static final List<String> GEMINI_INPUTS = Stream.concat(Stream.of("cachedContent", "cached_content"),
            Stream.of("googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "googleMaps",
                    "google_maps", "urlContext", "url_context", "codeExecution", "code_execution", "fileSearch", "file_search")
                    .map(tool -> "tools.[]." + tool))
            .toList();
    private static final List<String> GEMINI_MAXIMA = geminiConfig("maxOutputTokens", "max_output_tokens");
    private static final List<String> GEMINI_CHOICES = geminiConfig("candidateCount", "candidate_count");

    private static final JsonPaths OPENAI = withFurtherModels("model", "stream", "n", "best_of",
            "stream_options.include_usage",
            "max_completion_tokens", "max_tokens", "max_output_tokens", "background", STORE, SERVICE_TIER,
            PREVIOUS_RESPONSE, CONVERSATION, CONVERSATION_ID, PROMPT, TOOL_SERVERS);
    private static final JsonPaths ANTHROPIC = withFurtherModels("model", "stream", "max_tokens", SPEED, REGION, TOOL_SERVERS);
    private static final JsonPaths GEMINI = JsonPaths.of(Stream
            .of(GEMINI_MAXIMA, GEMINI_CHOICES, List.of("serviceTier", SERVICE_TIER), GEMINI_INPUTS).flatMap(List::stream)
            .toArray(String[]::new));

    private LlmRequestParser() {
    }

    /** Returns the paths of a field in all spellings that Gemini accepts. */
    private static List<String> geminiConfig(String camelCaseName, String snakeCaseName) {
        return Stream.of("generationConfig.", "generation_config.")
                .flatMap(config -> Stream.of(config + camelCaseName, config + snakeCaseName)).toList();
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
                usageRequested, details(provider, fields), RequestFields.furtherModels(fields),
                RequestFields.toolModels(fields),
                prompt.hasInputElsewhere() || !references.isEmpty() || hasInputElsewhere(provider, fields),
                references, body,
                chatStream && !usageRequested ? rewriter.rewrite(body) : body);
    }

    private static boolean hasInputElsewhere(Provider provider, JsonFields fields) {
        for (var path : provider.is(ProviderType.GEMINI) ? GEMINI_INPUTS : INPUTS) {
            if (fields.has(path)) {
                return true;
            }
        }
        return false;
    }

    private static List<String> references(Shape shape, JsonFields fields) {
        return shape == Shape.RESPONSES
                ? Stream.of(PREVIOUS_RESPONSE, CONVERSATION, CONVERSATION_ID).map(fields::text).filter(Objects::nonNull)
                        .toList()
                : List.of();
    }

    /** Returns what makes tokens dearer than usual: a cheaper tier may not be granted. */
    private static UsageDetails details(Provider provider, JsonFields fields) {
        var name = UsageCounts.firstNonNull(fields.text(SERVICE_TIER), fields.text("serviceTier"));
        var tier = ServiceTier.of(provider, name);
        boolean fast = "fast".equals(fields.text(SPEED));
        var region = UsageCounts.firstNonNull(fields.text(REGION), "");
        return tier == ServiceTier.STANDARD && !fast && region.isEmpty()
                ? UsageDetails.NONE
                : new UsageDetails(Map.of(), tier == ServiceTier.FLEX ? ServiceTier.STANDARD : tier, fast, region, List.of());
    }

    private static long maxOutputTokens(Provider provider, Shape shape, JsonFields fields) {
        if (shape == Shape.EMBEDDINGS || shape == Shape.OPENAI_EMBEDDINGS) {
            return 0;
        }
        if (provider.is(ProviderType.GEMINI)) {
            long cap = largestGeminiValue(fields, -1, GEMINI_MAXIMA);
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
            case GEMINI -> largestGeminiValue(fields, 1, GEMINI_CHOICES);
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

    private static long largestGeminiValue(JsonFields fields, long defaultValue, List<String> paths) {
        long largest = defaultValue;
        for (var path : paths) {
            long value = orElse(fields.requestedCount(path), -1);
            largest = isPlausible(value) ? Math.max(largest, value) : largest;
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
