package dev.sluice.llm.protocol;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;

/**
 * Usage reported by OpenAI. The last report is valid; in a stream of the Responses API it is part of the response object.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/responses-streaming">OpenAI: streaming events</a>
 */
final class OpenAiUsage extends UsageAccumulator {

    /** Fields of the document, or of the response object of an event. Chat Completions and Responses name them differently. */
    private static final List<String> INPUT = List.of("usage.prompt_tokens", "usage.input_tokens");
    private static final List<String> OUTPUT = List.of("usage.completion_tokens", "usage.output_tokens");
    private static final List<String> TOTAL = List.of("usage.total_tokens");
    /** DeepSeek has the name of its own. */
    private static final List<String> CACHED_INPUT = Stream
            .concat(inputDetail("cached_tokens").stream(), Stream.of("usage.prompt_cache_hit_tokens")).toList();
    private static final List<String> CACHE_WRITE = inputDetail("cache_write_tokens");
    private static final Map<UsageKind, List<String>> QUANTITIES = new EnumMap<>(Map.of(
            UsageKind.AUDIO_INPUT, inputDetail("audio_tokens"),
            UsageKind.IMAGE_INPUT, inputDetail("image_tokens"),
            UsageKind.AUDIO_OUTPUT, outputDetail("audio_tokens"),
            UsageKind.IMAGE_OUTPUT, outputDetail("image_tokens"),
            UsageKind.WEB_SEARCH, List.of("tool_usage.web_search.num_requests")));
    private static final String ID = "id";
    private static final String STATUS = "status";
    /** Models that search the web for each chat, which the usage does not report. */
    private static final Pattern SEARCH_MODEL = Pattern.compile("^gpt-[^/]*-search-(preview|api)");
    private static final String OUTPUT_DETAILS = "usage.output_tokens_details";
    /** Kind of all output tokens if the usage does not say it. */
    private static final Map<Shape, UsageKind> MEDIA_OUTPUT = Map.of(Shape.IMAGES, UsageKind.IMAGE_OUTPUT, Shape.SPEECH,
            UsageKind.AUDIO_OUTPUT);
    private static final String SECONDS = "usage.seconds";
    /** Seconds of the audio in the verbose form of a transcription, which may have no usage. */
    private static final String DURATION = "duration";

    /** Output in a delta of a chat, and in one of the Responses API. */
    private static final List<String> CHAT_TEXTS = List.of("content", "refusal", "reasoning_content", "reasoning",
            "audio.transcript", "function_call.name", "function_call.arguments", "tool_calls.[].function.name",
            "tool_calls.[].function.arguments", "tool_calls.[].custom.name", "tool_calls.[].custom.input");
    private static final String RESPONSES_TEXT = "delta";
    /** Ends the type of a delta that is no text but audio in base64. */
    private static final String AUDIO = "audio.delta";

    /** Prefixes of the fields; that of Groq in a stream without usage of OpenAI. */
    private static final List<String> ROOTS = List.of("x_groq.", "", "response.");
    private static final JsonPaths PATHS = allPaths();
    private static final Set<String> FINAL_EVENT_TYPES = Set.of("response.completed", "response.incomplete", "response.failed",
            "transcript.text.done", "speech.audio.done", "image_generation.completed", "image_edit.completed");
    private static final Set<String> MEDIA_EVENT_TYPES = Set.of("transcript.text.delta", "speech.audio.delta",
            "image_generation.partial_image", "image_edit.partial_image");

    private final Shape shape;
    private boolean hasMedia;

    OpenAiUsage(Shape shape) {
        super(PATHS, Dialect.OPENAI);
        this.shape = shape;
    }

    private static List<String> inputDetail(String name) {
        return List.of("usage.prompt_tokens_details." + name, "usage.input_tokens_details." + name,
                "usage.input_token_details." + name);
    }

    private static List<String> outputDetail(String name) {
        return List.of("usage.completion_tokens_details." + name, "usage.output_tokens_details." + name);
    }

    private static JsonPaths allPaths() {
        var paths = new ArrayList<>(List.of("type", "choices.[]", "error", SECONDS, DURATION, "+choices.[].text",
                "+" + RESPONSES_TEXT));
        CHAT_TEXTS.forEach(name -> paths.add("+choices.[].delta." + name));
        for (var root : ROOTS) {
            paths.add(root + "model");
            paths.add(root + ID);
            paths.add(root + STATUS);
            paths.add(root + "service_tier");
            for (var field : List.of(INPUT, OUTPUT, TOTAL, CACHED_INPUT, CACHE_WRITE)) {
                field.forEach(name -> paths.add(root + name));
            }
            QUANTITIES.values().forEach(field -> field.forEach(name -> paths.add(root + name)));
        }
        return JsonPaths.of(paths.toArray(String[]::new));
    }

    @Override
    boolean hasText(JsonFields fields) {
        var type = fields.text("type");
        return type == null || !type.endsWith(AUDIO);
    }

    @Override
    void accept(JsonFields fields) {
        model(fields.text("model"));
        model(fields.text("response.model"));
        if (shape == Shape.RESPONSES) {
            ROOTS.forEach(root -> stored(fields.text(root + ID), fields.text(root + STATUS)));
        }
        var earlier = usage();
        var earlierDetails = details();
        ROOTS.forEach(root -> usage(fields, root));
        if (shape == Shape.IMAGES && earlier != null && usage() != null && usage() != earlier) {
            addImages(earlier, earlierDetails);
        }
        var type = fields.text("type");
        if (shape.isMedia()) {
            hasMedia |= type != null && MEDIA_EVENT_TYPES.contains(type);
        } else if (fields.has("choices.[]") || type != null && type.endsWith(".delta")) {
            countContent();
        }
        if (fields.has("error") || "error".equals(type) || "response.failed".equals(type)) {
            markFailed();
        }
        if (type != null && !shape.requestsUsage() && FINAL_EVENT_TYPES.contains(type)) {
            markFinished();
        }
    }

    /** Audio and images are not counted as events of content, of which each has about one token. */
    @Override
    boolean isBilledAfterFailure() {
        return super.isBilledAfterFailure() || hasMedia;
    }

    @Override
    void onDoneMarker() {
        if (shape != Shape.RESPONSES) {
            markFinished();
        }
    }

    private void usage(JsonFields fields, String root) {
        if (shape == Shape.TRANSCRIPTION && root.isEmpty() && seconds(fields)) {
            return;
        }
        if (!fields.has(root + "usage")) {
            return;
        }
        var input = count(fields, root, INPUT);
        var output = outputWithReasoning(input, count(fields, root, OUTPUT), count(fields, root, TOTAL));
        if (input == null && output == null) {
            return;
        }
        usage(input, count(fields, root, CACHED_INPUT), count(fields, root, CACHE_WRITE), null, output);
        if (usage() != null) {
            var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
            QUANTITIES.forEach((kind, field) -> put(quantities, kind, count(fields, root, field)));
            if (shape == Shape.CHAT && model() != null && SEARCH_MODEL.matcher(model()).find()) {
                quantities.put(UsageKind.WEB_SEARCH, 1L);
            }
            if (MEDIA_OUTPUT.containsKey(shape) && !fields.has(root + OUTPUT_DETAILS)) {
                quantities.put(MEDIA_OUTPUT.get(shape), usage().output());
            }
            details(new UsageDetails(quantities(usage(), quantities),
                    ServiceTier.of(Provider.OPENAI, fields.text(root + "service_tier")), false, "", List.of()));
        }
    }

    /** Adds the usage of the images before: each has an event of its own. */
    private void addImages(TokenUsage earlier, UsageDetails earlierDetails) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.putAll(earlierDetails.quantities());
        details().quantities().forEach((kind, count) -> put(quantities, kind, count));
        usage(sum(earlier.input(), usage().input()), null, null, null, sum(earlier.output(), usage().output()));
        if (usage() != null) {
            details(new UsageDetails(quantities(usage(), quantities), details().tier(), false, "", List.of()));
        }
    }

    /** Reads the seconds of audio that a transcription is billed by, unless it is billed by tokens. */
    private boolean seconds(JsonFields fields) {
        if (fields.has("usage.input_tokens") || fields.has("usage.output_tokens")) {
            return false;
        }
        var milliseconds = firstNonNull(fields.thousandths(SECONDS), fields.thousandths(DURATION));
        if (milliseconds == null || milliseconds <= 0 || milliseconds > TokenUsage.MAX) {
            return false;
        }
        usage(TokenUsage.NONE);
        details(new UsageDetails(Map.of(UsageKind.AUDIO_MILLISECOND, milliseconds), ServiceTier.STANDARD, false, "",
                List.of()));
        return true;
    }

    /** Some APIs count reasoning in the total only: xAI's, and that of Gemini in OpenAI's form. */
    private static Long outputWithReasoning(Long input, Long output, Long total) {
        return input != null && total != null && input >= 0 && total > input && total - input > (output == null ? 0 : output)
                && total <= TokenUsage.MAX ? Long.valueOf(total - input) : output;
    }

    private static Long count(JsonFields fields, String root, List<String> names) {
        Long count = null;
        for (var name : names) {
            count = firstNonNull(count, fields.count(root + name));
        }
        return count;
    }
}
