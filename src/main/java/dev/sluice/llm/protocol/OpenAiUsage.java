package dev.sluice.llm.protocol;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.sluice.llm.estimate.Dialect;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.JsonFields;

/**
 * Usage reported by OpenAI. The last report is valid; in a stream of the Responses API it is part of the response object.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/responses-streaming">OpenAI: streaming events</a>
 */
final class OpenAiUsage extends UsageAccumulator {

    /** Models that search the web for each chat, which the usage does not report. */
    private static final Pattern SEARCH_MODEL = Pattern.compile("^gpt-[^/]*-search-(preview|api)");
    /** Part of the names of all of them. */
    private static final String SEARCH = "-search-";
    /** Kind of all output tokens if the usage does not say it. */
    private static final Map<Shape, UsageKind> MEDIA_OUTPUT = Map.of(Shape.IMAGES, UsageKind.IMAGE_OUTPUT, Shape.SPEECH,
            UsageKind.AUDIO_OUTPUT);
    /** Ends the type of a delta that is no text but audio in base64. */
    private static final String AUDIO = "audio.delta";

    /** Final events of an image. */
    private static final Set<String> IMAGE_EVENT_TYPES = Set.of("image_generation.completed", "image_edit.completed");
    /** Those of transcriptions are OpenAI's and Mistral's. */
    private static final Set<String> FINAL_EVENT_TYPES = Set.of("response.completed", "response.incomplete", "response.failed",
            "transcript.text.done", "transcription.done", "speech.audio.done", "image_generation.completed",
            "image_edit.completed");
    private static final Set<String> MEDIA_EVENT_TYPES = Set.of("transcript.text.delta", "transcription.text.delta",
            "speech.audio.delta",
            "image_generation.partial_image", "image_edit.partial_image");

    private final Shape shape;
    private final OpenAiToolCalls tools = new OpenAiToolCalls();
    private boolean hasMedia;

    OpenAiUsage(Shape shape) {
        super(switch (shape) {
            case RESPONSES -> OpenAiFields.RESPONSES_PATHS;
            case IMAGES -> OpenAiFields.IMAGES_PATHS;
            default -> OpenAiFields.PATHS;
        }, Dialect.OPENAI);
        this.shape = shape;
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
            tools.accept(fields);
            for (var root : OpenAiFields.ROOTS) {
                stored(fields.text(root.id), fields.text(root.status));
            }
        }
        var earlier = usage();
        var earlierDetails = details();
        for (var root : OpenAiFields.ROOTS) {
            usage(fields, root);
        }
        if (usage() == null && !tools.isEmpty()) {
            details(new UsageDetails(tools.quantities(), ServiceTier.STANDARD, false, "", List.of()));
        }
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
        if (type != null && IMAGE_EVENT_TYPES.contains(type)) {
            countImages(1);
        } else if (shape == Shape.IMAGES) {
            countImages(fields.elementCount(OpenAiFields.IMAGES));
        }
        if (type != null && !shape.requestsUsage() && FINAL_EVENT_TYPES.contains(type)) {
            markFinished();
        }
    }

    /** Audio and images are not counted as events of content, of which each has about one token. */
    @Override
    boolean isBilledAfterFailure() {
        return super.isBilledAfterFailure() || hasMedia || !tools.isEmpty();
    }

    @Override
    void onDoneMarker() {
        if (shape != Shape.RESPONSES) {
            markFinished();
        }
    }

    private void usage(JsonFields fields, OpenAiFields root) {
        if (shape == Shape.TRANSCRIPTION && root.isDocument() && seconds(fields)) {
            return;
        }
        if (!fields.has(root.usage)) {
            return;
        }
        var input = OpenAiFields.count(fields, root.input);
        var output = outputWithReasoning(input, OpenAiFields.count(fields, root.output),
                OpenAiFields.count(fields, root.total));
        if (input == null && output == null) {
            return;
        }
        usage(input, OpenAiFields.count(fields, root.cachedInput), OpenAiFields.count(fields, root.cacheWrite), null, output);
        if (usage() != null) {
            details(new UsageDetails(UsageCounts.quantities(usage(), quantities(fields, root)),
                    ServiceTier.of(Provider.OPENAI, fields.text(root.serviceTier)), false, "", List.of()));
            addGeneratedImages(fields, root);
            details(details().withReported(root.reportedCost(fields)));
        }
    }

    private Map<UsageKind, Long> quantities(JsonFields fields, OpenAiFields root) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        root.quantities.forEach((kind, paths) -> UsageCounts.put(quantities, kind, OpenAiFields.count(fields, paths)));
        UsageCounts.put(quantities, UsageKind.AUDIO_MILLISECOND,
                root.isDocument() ? fields.thousandths(OpenAiFields.PROMPT_SECONDS) : null);
        if (shape == Shape.CHAT && model() != null && model().contains(SEARCH) && SEARCH_MODEL.matcher(model()).find()) {
            quantities.put(UsageKind.WEB_SEARCH, 1L);
        }
        var lifetime = fields.text(root.cacheLifetime);
        if (lifetime != null && OpenAiFields.LONG_LIFETIME.matcher(lifetime).matches()) {
            quantities.put(UsageKind.CACHE_WRITE_12H, usage().cacheWrite());
        }
        if (!tools.isEmpty() && !fields.has(root.xaiTools)) {
            tools.quantities().forEach((kind, count) -> quantities.merge(kind, count, Math::max));
        }
        if (MEDIA_OUTPUT.containsKey(shape) && !fields.has(root.outputDetails)) {
            quantities.put(MEDIA_OUTPUT.get(shape), usage().output());
        }
        return quantities;
    }

    /** Adds the images of the tool as a call of another model within the call. */
    private void addGeneratedImages(JsonFields fields, OpenAiFields root) {
        var images = UsageCounts.toUsage(fields.count(root.imagesInput), null, null, null, fields.count(root.imagesOutput));
        if (images == null || images.total() == 0) {
            return;
        }
        var ofImages = new EnumMap<UsageKind, Long>(UsageKind.class);
        UsageCounts.put(ofImages, UsageKind.IMAGE_INPUT, fields.count(root.imagesImageInput));
        UsageCounts.put(ofImages, UsageKind.IMAGE_OUTPUT,
                UsageCounts.firstNonNull(fields.count(root.imagesImageOutput), (Long) images.output()));
        var all = new EnumMap<UsageKind, Long>(UsageKind.class);
        var own = new EnumMap<UsageKind, Long>(UsageKind.class);
        details().quantities().forEach((kind, count) -> (kind.isFee() ? all : own).put(kind, count));
        var iterations = List.of(new UsageDetails.Iteration(null, usage(), own, false),
                new UsageDetails.Iteration(tools.imageModel(), images, UsageCounts.quantities(images, ofImages), true));
        var total = UsageCounts.total(iterations);
        if (total != null) {
            iterations.forEach(iteration -> iteration.quantities().forEach((kind, count) -> UsageCounts.put(all, kind, count)));
            usage(total);
            details(new UsageDetails(UsageCounts.quantities(total, all), details().tier(), false, "", iterations));
        }
    }

    /** Adds the usage of the images before: each has an event of its own. */
    private void addImages(TokenUsage earlier, UsageDetails earlierDetails) {
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.putAll(earlierDetails.quantities());
        details().quantities().forEach((kind, count) -> UsageCounts.put(quantities, kind, count));
        usage(UsageCounts.sum(earlier.input(), usage().input()), null, null, null,
                UsageCounts.sum(earlier.output(), usage().output()));
        if (usage() != null) {
            details(new UsageDetails(UsageCounts.quantities(usage(), quantities), details().tier(), false, "", List.of()));
        }
    }

    /** Reads the seconds of audio that a transcription is billed by, unless it is billed by tokens. */
    private boolean seconds(JsonFields fields) {
        if (Stream.of(OpenAiFields.DOCUMENT.input, OpenAiFields.DOCUMENT.output).flatMap(List::stream).anyMatch(fields::has)) {
            return false;
        }
        var milliseconds = UsageCounts.firstNonNull(
                UsageCounts.firstNonNull(fields.thousandths(OpenAiFields.SECONDS),
                        fields.thousandths(OpenAiFields.PROMPT_SECONDS)),
                fields.thousandths(OpenAiFields.DURATION));
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
}
