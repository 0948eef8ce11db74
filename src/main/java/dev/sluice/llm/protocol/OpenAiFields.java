package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Fields of the responses in OpenAI's form, of OpenAI and of the providers that have the form and fields of their own. Each instance
 * has the paths below one root: the document, or the response object of an event. Immutable.
 */
final class OpenAiFields {

    /**
     * Cost that the provider reports, in US dollars. Of OpenRouter.
     *
     * @see <a href="https://openrouter.ai/docs/use-cases/usage-accounting">OpenRouter: usage accounting</a>
     */
    private static final String COST = "usage.cost";
    /**
     * The same in 10⁻¹⁰ US dollars. Of xAI.
     *
     * @see <a href="https://docs.x.ai/developers/cost-tracking">xAI: cost tracking</a>
     */
    private static final String COST_TICKS = "usage.cost_in_usd_ticks";
    private static final long PICODOLLARS_PER_TICK = 100;
    private static final long MAX_TICKS = 10_000_000_000_000_000L;
    static final Pattern LONG_LIFETIME = Pattern.compile("(1[2-9]|[2-9][0-9]|[1-9][0-9]{2})h|[1-9][0-9]?d");
    static final String SECONDS = "usage.seconds";
    /** Seconds of audio in the input, beside the tokens. Of Mistral. */
    static final String PROMPT_SECONDS = "usage.prompt_audio_seconds";
    /** Seconds of the audio in the verbose form of a transcription, which may have no usage. */
    static final String DURATION = "duration";
    /** Output in a delta of a chat, and in one of the Responses API. */
    private static final List<String> CHAT_TEXTS = List.of("content", "refusal", "reasoning_content", "reasoning",
            "audio.transcript", "function_call.name", "function_call.arguments", "tool_calls.[].function.name",
            "tool_calls.[].function.arguments", "tool_calls.[].custom.name", "tool_calls.[].custom.input");
    private static final String RESPONSES_TEXT = "delta";

    /** Fields of the document. */
    static final OpenAiFields DOCUMENT = new OpenAiFields("");
    /** All roots; that of Groq is in a stream without usage of OpenAI. The last report is valid. */
    static final List<OpenAiFields> ROOTS = List.of(new OpenAiFields("x_groq."), DOCUMENT, new OpenAiFields("response."));
    static final JsonPaths PATHS = paths(List.of());
    /** Those of the Responses API, whose responses list calls of tools. */
    static final JsonPaths RESPONSES_PATHS = paths(OpenAiToolCalls.paths());

    /** Images of a document. */
    static final String IMAGES = "data";
    static final JsonPaths IMAGES_PATHS = paths(List.of(IMAGES + ".[*]"));

    private final String root;
    final String usage;
    final String id;
    final String status;
    final String serviceTier;
    /** Time for which the prompt is cached, at least. */
    final String cacheLifetime;
    final String outputDetails;
    /** Chat Completions and Responses name the counts differently. */
    final List<String> input;
    final List<String> output;
    final List<String> total;
    /** DeepSeek has the name of its own. */
    final List<String> cachedInput;
    final List<String> cacheWrite;
    /**
     * Calls of the tools of xAI, in place of the items.
     *
     * @see <a href="https://docs.x.ai/developers/tools/tool-usage-details">xAI: tool usage</a>
     */
    final String xaiTools;
    /** Input and output tokens of the model that generates the images of OpenAI's tool, which the usage does not contain. */
    final String imagesInput;
    final String imagesOutput;
    /** Those of them that are tokens of images. */
    final String imagesImageInput;
    final String imagesImageOutput;
    /** Quantities beside text tokens, by their kinds. */
    final Map<UsageKind, List<String>> quantities = new EnumMap<>(UsageKind.class);
    private final String cost;
    private final String costTicks;

    private OpenAiFields(String root) {
        this.root = root;
        usage = root + "usage";
        id = root + "id";
        status = root + "status";
        serviceTier = root + "service_tier";
        cacheLifetime = root + "prompt_cache_options.ttl";
        outputDetails = usage + ".output_tokens_details";
        input = List.of(usage + ".prompt_tokens", usage + ".input_tokens");
        output = List.of(usage + ".completion_tokens", usage + ".output_tokens");
        total = List.of(usage + ".total_tokens");
        cachedInput = Stream.concat(inputDetail("cached_tokens").stream(), Stream.of(usage + ".prompt_cache_hit_tokens"))
                .toList();
        cacheWrite = inputDetail("cache_write_tokens");
        xaiTools = usage + ".server_side_tool_usage_details";
        var images = root + "tool_usage.image_gen.";
        imagesInput = images + "input_tokens";
        imagesOutput = images + "output_tokens";
        imagesImageInput = images + "input_tokens_details.image_tokens";
        imagesImageOutput = images + "output_tokens_details.image_tokens";
        cost = root + COST;
        costTicks = root + COST_TICKS;
        quantities.put(UsageKind.AUDIO_INPUT, inputDetail("audio_tokens"));
        quantities.put(UsageKind.IMAGE_INPUT, inputDetail("image_tokens"));
        quantities.put(UsageKind.AUDIO_OUTPUT, outputDetail("audio_tokens"));
        quantities.put(UsageKind.IMAGE_OUTPUT, outputDetail("image_tokens"));
        quantities.put(UsageKind.WEB_SEARCH,
                List.of(root + "tool_usage.web_search.num_requests", xaiTools + ".web_search_calls"));
        quantities.put(UsageKind.FILE_SEARCH, List.of(xaiTools + ".file_search_calls"));
        quantities.put(UsageKind.CODE_EXECUTION, List.of(xaiTools + ".code_interpreter_calls"));
        quantities.put(UsageKind.DOCUMENT_SEARCH, List.of(xaiTools + ".document_search_calls"));
        quantities.put(UsageKind.X_SEARCH, List.of(xaiTools + ".x_posts_fetched", xaiTools + ".x_search_calls"));
        quantities.put(UsageKind.X_PROFILE, List.of(xaiTools + ".x_users_fetched"));
    }

    private List<String> inputDetail(String name) {
        return List.of(usage + ".prompt_tokens_details." + name, usage + ".input_tokens_details." + name,
                usage + ".input_token_details." + name);
    }

    private List<String> outputDetail(String name) {
        return List.of(usage + ".completion_tokens_details." + name, usage + ".output_tokens_details." + name);
    }

    private static JsonPaths paths(List<String> ofTools) {
        var paths = new ArrayList<>(
                List.of("type", "choices.[]", "error", SECONDS, PROMPT_SECONDS, DURATION, "+choices.[].text",
                        "+" + RESPONSES_TEXT));
        CHAT_TEXTS.forEach(name -> paths.add("+choices.[].delta." + name));
        for (var fields : ROOTS) {
            paths.addAll(List.of(fields.root + "model", fields.id, fields.status, fields.serviceTier, fields.cacheLifetime,
                    fields.cost, fields.costTicks));
            paths.addAll(List.of(fields.imagesInput, fields.imagesOutput, fields.imagesImageInput, fields.imagesImageOutput));
            List.of(fields.input, fields.output, fields.total, fields.cachedInput, fields.cacheWrite).forEach(paths::addAll);
            fields.quantities.values().forEach(paths::addAll);
        }
        paths.addAll(ofTools);
        return JsonPaths.of(paths.toArray(String[]::new));
    }

    boolean isDocument() {
        return this == DOCUMENT;
    }

    /** Returns the cost that the provider reports, in 10⁻¹² US dollars; 0 if it reports none, or no plausible one. */
    long reportedCost(JsonFields fields) {
        var dollars = fields.picodollars(cost);
        var ticks = fields.count(costTicks);
        return dollars != null
                ? Math.max(0, dollars)
                : ticks == null || ticks < 0 || ticks > MAX_TICKS ? 0 : ticks * PICODOLLARS_PER_TICK;
    }

    /** Returns the count at the first of the paths that has one; null if none has. */
    static Long count(JsonFields fields, List<String> paths) {
        for (int i = 0; i < paths.size(); i++) {
            var count = fields.count(paths.get(i));
            if (count != null) {
                return count;
            }
        }
        return null;
    }
}
