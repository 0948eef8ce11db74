package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/** Fields of the responses in OpenAI's form, of OpenAI and of the providers that have the form and fields of their own. */
final class OpenAiFields {

    /** Fields of the document, or of the response object of an event. Chat Completions and Responses name them differently. */
    static final List<String> INPUT = List.of("usage.prompt_tokens", "usage.input_tokens");
    static final List<String> OUTPUT = List.of("usage.completion_tokens", "usage.output_tokens");
    static final List<String> TOTAL = List.of("usage.total_tokens");
    /** DeepSeek has the name of its own. */
    static final List<String> CACHED_INPUT = Stream
            .concat(inputDetail("cached_tokens").stream(), Stream.of("usage.prompt_cache_hit_tokens")).toList();
    static final List<String> CACHE_WRITE = inputDetail("cache_write_tokens");
    /**
     * Calls of the tools of xAI, in place of the items.
     *
     * @see <a href="https://docs.x.ai/developers/tools/tool-usage-details">xAI: tool usage</a>
     */
    static final String XAI_TOOLS = "usage.server_side_tool_usage_details";
    /** Tokens of the model that generates the images of OpenAI's tool, which the usage does not contain. */
    static final String GENERATED_IMAGES = "tool_usage.image_gen.";
    static final List<String> IMAGE_TOKENS = List.of("input_tokens", "output_tokens",
            "input_tokens_details.image_tokens",
            "output_tokens_details.image_tokens");
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
    /** Time for which the prompt is cached, at least. */
    static final String CACHE_LIFETIME = "prompt_cache_options.ttl";
    static final Pattern LONG_LIFETIME = Pattern.compile("(1[2-9]|[2-9][0-9]|[1-9][0-9]{2})h|[1-9][0-9]?d");
    static final Map<UsageKind, List<String>> QUANTITIES = new EnumMap<>(Map.of(
            UsageKind.AUDIO_INPUT, inputDetail("audio_tokens"),
            UsageKind.IMAGE_INPUT, inputDetail("image_tokens"),
            UsageKind.AUDIO_OUTPUT, outputDetail("audio_tokens"),
            UsageKind.IMAGE_OUTPUT, outputDetail("image_tokens"),
            UsageKind.WEB_SEARCH, List.of("tool_usage.web_search.num_requests", XAI_TOOLS + ".web_search_calls"),
            UsageKind.FILE_SEARCH, List.of(XAI_TOOLS + ".file_search_calls"),
            UsageKind.CODE_EXECUTION, List.of(XAI_TOOLS + ".code_interpreter_calls"),
            UsageKind.DOCUMENT_SEARCH, List.of(XAI_TOOLS + ".document_search_calls"),
            UsageKind.X_SEARCH, List.of(XAI_TOOLS + ".x_posts_fetched", XAI_TOOLS + ".x_search_calls"),
            UsageKind.X_PROFILE, List.of(XAI_TOOLS + ".x_users_fetched")));
    static final String ID = "id";
    static final String STATUS = "status";
    static final String SECONDS = "usage.seconds";
    /** Seconds of audio in the input, beside the tokens. Of Mistral. */
    static final String PROMPT_SECONDS = "usage.prompt_audio_seconds";
    /** Seconds of the audio in the verbose form of a transcription, which may have no usage. */
    static final String DURATION = "duration";
    /** Output in a delta of a chat, and in one of the Responses API. */
    static final List<String> CHAT_TEXTS = List.of("content", "refusal", "reasoning_content", "reasoning",
            "audio.transcript", "function_call.name", "function_call.arguments", "tool_calls.[].function.name",
            "tool_calls.[].function.arguments", "tool_calls.[].custom.name", "tool_calls.[].custom.input");
    static final String RESPONSES_TEXT = "delta";
    /** Prefixes of the fields; that of Groq in a stream without usage of OpenAI. */
    static final List<String> ROOTS = List.of("x_groq.", "", "response.");
    static final JsonPaths PATHS = paths(List.of());
    /** Those of the Responses API, whose responses list calls of tools. */
    static final JsonPaths RESPONSES_PATHS = paths(OpenAiToolCalls.paths());

    private OpenAiFields() {
    }

    private static List<String> inputDetail(String name) {
        return List.of("usage.prompt_tokens_details." + name, "usage.input_tokens_details." + name,
                "usage.input_token_details." + name);
    }

    private static List<String> outputDetail(String name) {
        return List.of("usage.completion_tokens_details." + name, "usage.output_tokens_details." + name);
    }

    private static JsonPaths paths(List<String> ofTools) {
        var paths = new ArrayList<>(
                List.of("type", "choices.[]", "error", SECONDS, PROMPT_SECONDS, DURATION, "+choices.[].text",
                        "+" + RESPONSES_TEXT));
        CHAT_TEXTS.forEach(name -> paths.add("+choices.[].delta." + name));
        for (var root : ROOTS) {
            paths.add(root + "model");
            paths.add(root + ID);
            paths.add(root + STATUS);
            paths.add(root + "service_tier");
            paths.add(root + CACHE_LIFETIME);
            paths.add(root + COST);
            paths.add(root + COST_TICKS);
            IMAGE_TOKENS.forEach(name -> paths.add(root + GENERATED_IMAGES + name));
            for (var field : List.of(INPUT, OUTPUT, TOTAL, CACHED_INPUT, CACHE_WRITE)) {
                field.forEach(name -> paths.add(root + name));
            }
            QUANTITIES.values().forEach(field -> field.forEach(name -> paths.add(root + name)));
        }
        paths.addAll(ofTools);
        return JsonPaths.of(paths.toArray(String[]::new));
    }

    /** Returns the cost that the provider reports, in 10⁻¹² US dollars; 0 if it reports none, or no plausible one. */
    static long reportedCost(JsonFields fields, String root) {
        var cost = fields.picodollars(root + COST);
        var ticks = fields.count(root + COST_TICKS);
        return cost != null
                ? Math.max(0, cost)
                : ticks == null || ticks < 0 || ticks > MAX_TICKS ? 0 : ticks * PICODOLLARS_PER_TICK;
    }

    static Long count(JsonFields fields, String root, List<String> names) {
        Long count = null;
        for (var name : names) {
            count = UsageCounts.firstNonNull(count, fields.count(root + name));
        }
        return count;
    }
}
