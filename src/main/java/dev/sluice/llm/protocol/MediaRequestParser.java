package dev.sluice.llm.protocol;

import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import dev.sluice.llm.estimate.AudioDuration;
import dev.sluice.llm.protocol.json.BodyBytes;
import dev.sluice.llm.protocol.json.JsonFields;
import dev.sluice.llm.protocol.json.JsonPaths;
import io.vertx.core.buffer.Buffer;

/**
 * Parses OpenAI's requests of images, speech and transcriptions, in JSON or as forms. Their size is estimated in tokens and in the
 * units by which some models are billed instead.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference/images">OpenAI: images</a>
 * @see <a href="https://platform.openai.com/docs/api-reference/audio">OpenAI: audio</a>
 */
final class MediaRequestParser {

    private static final List<String> TEXTS = List.of("model", "n", "size", "quality", "stream", "partial_images",
            "input_fidelity");
    private static final JsonPaths IMAGES = JsonPaths.of("model", "n", "size", "quality", "stream", "partial_images",
            "input_fidelity", "images.[*].detail");
    private static final JsonPaths SPEECH = JsonPaths.of("model", "input", "instructions", "stream_format");

    private static final String[] SAMPLE_COUNTS = {"parameters.sampleCount", "parameters.sample_count"};
    private static final JsonPaths PREDICT = JsonPaths.of(SAMPLE_COUNTS);
    private static final long DEFAULT_SAMPLES = 4;

    private static final int MAX_IMAGES = 128;
    private static final Pattern SIZE = Pattern.compile("([1-9][0-9]{1,4})x([1-9][0-9]{1,4})");
    private static final Pattern QUALITY = Pattern.compile("[a-z]{1,16}");
    /** Output tokens of an image of 1024 × 1024 pixels; all other qualities have at most as many as {@code high}. */
    private static final Map<String, Long> TOKENS_BY_QUALITY = Map.of("low", 272L, "medium", 1056L);
    private static final long HIGH_TOKENS = 4160;
    private static final long SQUARE_PIXELS = 1024L * 1024;
    private static final long DEFAULT_PIXELS = 1024L * 1536;
    private static final long PARTIAL_IMAGE_TOKENS = 100;
    /** Largest number of tokens of an image of the input, by fidelity. */
    private static final long INPUT_IMAGE_TOKENS = 1100;
    private static final long HIGH_FIDELITY_TOKENS = 7300;

    /** Tokens of a second of audio, and of its text in any language. */
    private static final long AUDIO_TOKENS_PER_SECOND = 10;
    private static final long TEXT_TOKENS_PER_SECOND = 5;
    private static final long MILLISECONDS = 1000;

    private MediaRequestParser() {
    }

    static LlmRequest parse(ProviderOperation operation, String contentType, Buffer body) {
        var bytes = BodyBytes.of(body);
        boolean form = MultipartForm.isMultipart(contentType);
        return switch (operation.shape()) {
            case SPEECH -> speech(RequestFields.read(SPEECH, bytes), body);
            case TRANSCRIPTION -> transcription(form(contentType, form, bytes), body);
            default -> form
                    ? images(MultipartForm.parse(contentType, bytes.bytes()), body)
                    : images(RequestFields.read(IMAGES, bytes), body);
        };
    }

    /** @see <a href="https://ai.google.dev/gemini-api/docs/imagen">Gemini: Imagen</a> */
    static LlmRequest predict(ProviderOperation operation, Buffer body) {
        var fields = RequestFields.read(PREDICT, BodyBytes.of(body));
        long images = DEFAULT_SAMPLES;
        for (var name : SAMPLE_COUNTS) {
            var count = fields.requestedCount(name);
            images = count == null ? images : Math.max(1, Math.min(count, MAX_IMAGES));
        }
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.put(UsageKind.IMAGE, images);
        return request(operation.model(), false, 0, 0, quantities, "", body);
    }

    private static MultipartForm form(String contentType, boolean form, BodyBytes bytes) {
        if (!form) {
            throw new InvalidRequestBodyException("body must be a form (multipart/form-data)");
        }
        return MultipartForm.parse(contentType, bytes.bytes());
    }

    private static LlmRequest speech(JsonFields fields, Buffer body) {
        var input = fields.text("input");
        if (input == null && fields.has("input")) {
            throw new InvalidRequestBodyException("input must be a string");
        }
        var text = input == null ? "" : input;
        var instructions = fields.text("instructions") == null ? "" : fields.text("instructions");
        long bytes = text.getBytes(StandardCharsets.UTF_8).length;
        // 14 characters are a second of English, which is 21 tokens; one of Chinese has three bytes, and takes as long as three letters.
        long output = (3 * bytes + 1) / 2;
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.put(UsageKind.CHARACTER, (long) text.codePointCount(0, text.length()));
        quantities.put(UsageKind.AUDIO_OUTPUT, output);
        return request(RequestFields.model(fields), "sse".equals(fields.text("stream_format")),
                tokens(bytes + instructions.getBytes(StandardCharsets.UTF_8).length), output, quantities, "", body);
    }

    private static LlmRequest transcription(MultipartForm form, Buffer body) {
        long milliseconds = 0;
        for (var file : form.files()) {
            milliseconds += AudioDuration.milliseconds(file.content());
        }
        milliseconds = Math.min(milliseconds, TokenUsage.MAX);
        long seconds = (milliseconds + MILLISECONDS - 1) / MILLISECONDS;
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.put(UsageKind.AUDIO_MILLISECOND, milliseconds);
        quantities.put(UsageKind.AUDIO_INPUT, AUDIO_TOKENS_PER_SECOND * seconds);
        return request(model(form), isTrue(form.text("stream")), AUDIO_TOKENS_PER_SECOND * seconds + tokens(form.textBytes()),
                TEXT_TOKENS_PER_SECOND * seconds, quantities, "", body);
    }

    private static LlmRequest images(JsonFields fields, Buffer body) {
        var texts = new HashMap<String, String>();
        for (var name : TEXTS) {
            var count = fields.requestedCount(name);
            var text = fields.text(name);
            texts.put(name, text != null ? text : fields.isTrue(name) ? "true" : count == null ? null : count.toString());
        }
        return images(RequestFields.model(fields), texts, fields.elements("images").size(), body.length(), body);
    }

    private static LlmRequest images(MultipartForm form, Buffer body) {
        var texts = new HashMap<String, String>();
        TEXTS.forEach(name -> texts.put(name, form.text(name)));
        return images(model(form), texts, form.files().size(), form.textBytes(), body);
    }

    /** @param inputImages number of images in the request */
    private static LlmRequest images(String model, Map<String, String> texts, int inputImages, long textBytes, Buffer body) {
        long images = count(texts.get("n"), 1, MAX_IMAGES);
        var quality = valid(QUALITY, texts.get("quality"));
        var size = valid(SIZE, texts.get("size"));
        long input = inputImages * ("high".equals(texts.get("input_fidelity")) ? HIGH_FIDELITY_TOKENS : INPUT_IMAGE_TOKENS);
        long perImage = TOKENS_BY_QUALITY.getOrDefault(quality, HIGH_TOKENS) * pixels(size) / SQUARE_PIXELS
                + PARTIAL_IMAGE_TOKENS * count(texts.get("partial_images"), 0, 3);
        var quantities = new EnumMap<UsageKind, Long>(UsageKind.class);
        quantities.put(UsageKind.IMAGE, images);
        quantities.put(UsageKind.IMAGE_INPUT, input);
        quantities.put(UsageKind.IMAGE_OUTPUT, images * perImage);
        var variant = quality.isEmpty() ? size : quality + '/' + size;
        return request(model, isTrue(texts.get("stream")), input + tokens(Math.min(textBytes, 1 << 17)), images * perImage,
                quantities, variant, body);
    }

    private static LlmRequest request(String model, boolean streaming, long inputTokens, long outputTokens,
            Map<UsageKind, Long> quantities, String image, Buffer body) {
        return new LlmRequest(model, streaming, inputTokens, Math.min(outputTokens, TokenUsage.MAX), 1, false, false, false,
                new UsageDetails(quantities, ServiceTier.STANDARD, false, "", List.of(), image), List.of(), List.of(), false,
                List.of(),
                body, body);
    }

    private static String model(MultipartForm form) {
        var model = form.text("model");
        return model == null ? "" : RequestFields.validModel(model);
    }

    private static long pixels(String size) {
        var matcher = SIZE.matcher(size);
        return matcher.matches() ? Long.parseLong(matcher.group(1)) * Long.parseLong(matcher.group(2)) : DEFAULT_PIXELS;
    }

    private static String valid(Pattern pattern, String text) {
        return text != null && !text.equals("auto") && pattern.matcher(text).matches() ? text : "";
    }

    private static long count(String text, long otherwise, long max) {
        try {
            return text == null ? otherwise : Math.max(otherwise, Math.min(Long.parseLong(text.strip()), max));
        } catch (NumberFormatException e) { // the provider rejects it
            return otherwise;
        }
    }

    private static boolean isTrue(String text) {
        return text != null && (text.strip().equalsIgnoreCase("true") || text.strip().equals("1"));
    }

    private static long tokens(long bytes) {
        return (bytes + 3) / 4;
    }
}
