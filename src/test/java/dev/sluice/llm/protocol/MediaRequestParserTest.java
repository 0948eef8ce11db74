package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.buffer.Buffer;

class MediaRequestParserTest {

    private static final String FORM = "multipart/form-data; boundary=b";

    private static LlmRequest parse(String path, String contentType, String body) {
        return LlmRequestParser.parse(Provider.OPENAI, ProviderOperation.of(Provider.OPENAI, "POST", path), contentType,
                Buffer.buffer(body));
    }

    private static String field(String name, String value) {
        return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }

    private static String file(String name, int size) {
        return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n\r\n" + "@".repeat(size)
                + "\r\n";
    }

    /** Tokens by quality and pixels as OpenAI publishes them for gpt-image-1; the largest usual image if neither is given. */
    @ParameterizedTest
    @CsvSource({"low, 1024x1024, 1, 272, low/1024x1024", "low, 1024x1536, 1, 408, low/1024x1536",
            "medium, 1024x1024, 2, 2112, medium/1024x1024", "medium, 1536x1024, 1, 1584, medium/1536x1024",
            "high, 1024x1024, 1, 4160, high/1024x1024", "high, 1024x1536, 3, 18720, high/1024x1536",
            "auto, auto, 1, 6240, ''", "auto, 1024x1024, 1, 4160, 1024x1024", "'', '', 1, 6240, ''",
            "new, 2048x2048, 1, 16640, new/2048x2048", "x/y, 1024x1024/z, 1, 6240, ''",
            "high, 1024x1024, 500, 532480, high/1024x1024"})
    void estimatesImages(String quality, String size, long n, long tokens, String image) {
        var json = parse("/v1/images/generations", "application/json",
                "{\"model\":\"gpt-image-1\",\"prompt\":\"A cat\",\"n\":" + n + ",\"quality\":\"" + quality + "\",\"size\":\""
                        + size
                        + "\"}");
        var form = parse("/v1/images/edits", FORM, field("model", "gpt-image-1") + field("n", Long.toString(n))
                + field("quality", quality) + field("size", size) + "--b--");
        for (var request : new LlmRequest[]{json, form}) {
            assertThat(request.model()).isEqualTo("gpt-image-1");
            assertThat(request.maxTotalOutputTokens()).isEqualTo(tokens);
            assertThat(request.details().image()).isEqualTo(image);
            assertThat(request.details().quantities())
                    .isEqualTo(Map.of(UsageKind.IMAGE, Math.min(n, 128), UsageKind.IMAGE_INPUT,
                            0L, UsageKind.IMAGE_OUTPUT, tokens));
        }
    }

    @Test
    void estimatesImagesOfTheInput() {
        var form = parse("/v1/images/edits", FORM, field("model", "gpt-image-1") + field("stream", "true")
                + field("partial_images", "3") + file("image[]", 100_000) + file("image[]", 5) + file("mask", 5) + "--b--");
        assertThat(form.streaming()).isTrue();
        assertThat(form.details().quantities()).containsEntry(UsageKind.IMAGE_INPUT, 3300L)
                .containsEntry(UsageKind.IMAGE_OUTPUT, 6540L);
        assertThat(form.estimatedInputTokens()).isEqualTo(3300 + 4); // 16 bytes of text
        var json = parse("/v1/images/edits", "application/json", "{\"model\":\"m\",\"input_fidelity\":\"high\",\"images\":"
                + "[{\"image_url\":\"data:image/png;base64," + "A".repeat(100_000) + "\"},{\"file_id\":\"f\"}]}");
        assertThat(json.details().quantities()).containsEntry(UsageKind.IMAGE_INPUT, 14_600L);
    }

    @Test
    void estimatesSpeech() {
        var request = parse("/v1/audio/speech", "", "{\"model\":\"tts-1\",\"input\":\"日本😀\",\"stream_format\":\"sse\"}");
        assertThat(request.streaming()).isTrue();
        assertThat(request.estimatedInputTokens()).isEqualTo(3);
        assertThat(request.maxTotalOutputTokens()).isEqualTo(15);
        assertThat(request.details().quantities()).isEqualTo(Map.of(UsageKind.CHARACTER, 3L, UsageKind.AUDIO_OUTPUT, 15L));
        assertThatThrownBy(() -> parse("/v1/audio/speech", "", "{\"model\":\"tts-1\",\"input\":[\"a\"]}"))
                .isInstanceOf(InvalidRequestBodyException.class);
    }

    /** All files, of which a provider could read any: 2,000 bytes a second. */
    @Test
    void estimatesTranscriptions() {
        var request = parse("/v1/audio/transcriptions", FORM,
                field("model", "whisper-1") + field("stream", "True") + file("file", 4000) + file("file", 5001) + "--b--");
        assertThat(request.streaming()).isTrue();
        assertThat(request.maxTotalOutputTokens()).isEqualTo(25);
        assertThat(request.details().quantities())
                .isEqualTo(Map.of(UsageKind.AUDIO_MILLISECOND, 4501L, UsageKind.AUDIO_INPUT, 50L));
    }

    /** Each of them costs as much as the one that is returned. */
    @Test
    void countsAllCompletionsThatAreGenerated() {
        var request = parse("/v1/completions", "", "{\"model\":\"m\",\"n\":2,\"best_of\":5,\"max_tokens\":10}");
        assertThat(request.maxTotalOutputTokens()).isEqualTo(50);
        assertThat(parse("/v1/completions", "", "{\"model\":\"m\"}").maxTotalOutputTokens()).isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(strings = {"multipart/form-data", "multipart/mixed; boundary=b", "application/json", ""})
    void refusesTranscriptionsInOtherForms(String contentType) {
        assertThatThrownBy(() -> parse("/v1/audio/transcriptions", contentType, field("model", "m") + "--b--"))
                .isInstanceOf(InvalidRequestBodyException.class);
    }
}
