package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.openai.models.audio.transcriptions.TranscriptionCreateParams;
import com.openai.models.images.ImageEditParams;

import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Form;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.OpenAiSdk;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** OpenAI's speech, transcriptions, images and moderations where the answer does not say what they have cost. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmMediaTest extends LlmTestBase {

    private static final String SPEECH = "/openai/v1/audio/speech";
    private static final String TRANSCRIPTIONS = "/openai/v1/audio/transcriptions";
    private static final String IMAGES = "/openai/v1/images/generations";
    private static final String NO_ANSWER = "{\"created\":1,\"data\":[]}";

    private HttpResponse<String> post(String user, String path, JsonObject body) {
        return http.post(path, body.encode(), "Authorization", "Bearer key-of-" + user, "Content-Type", "application/json");
    }

    private HttpResponse<String> transcribe(String user, Form form) {
        return http.post(TRANSCRIPTIONS, form.body(), "Authorization", "Bearer key-of-" + user, "Content-Type",
                form.contentType());
    }

    private void assertBooked(String user, String usd, int estimated) {
        var booked = ledger("user:" + user, "openai");
        assertThat(booked.getLong("calls")).isEqualTo(1);
        assertThat(booked.getLong("unpriced_calls")).isZero();
        assertThat(booked.getString("cost_usd")).isEqualTo(usd);
        assertThat(booked.getLong("estimated_calls")).isEqualTo(estimated);
    }

    /** Whatever their size in bytes. */
    @ParameterizedTest
    @CsvSource({"tts-1, a, 0.015", "tts-1-hd, a, 0.03", "tts-1, é, 0.015", "tts-1, 😀, 0.015"})
    void speechCostsItsCharacters(String model, String character, String usd) {
        openAi.respondNext(1, 200, "ID3", "content-type", "audio/mpeg");
        var response = post("wealthy", SPEECH, new JsonObject().put("model", model).put("input", character.repeat(1000)));
        assertThat(response.body()).isEqualTo("ID3");
        assertBooked("wealthy", usd, 0);
    }

    /** 100 bytes: 25 tokens of text at 0.60, and 150 of audio at 12 dollars per million. */
    @Test
    void speechOfTokensIsEstimatedByItsText() {
        openAi.respondNext(1, 200, "ID3", "content-type", "audio/mpeg");
        post("wealthy", SPEECH, new JsonObject().put("model", "gpt-4o-mini-tts").put("input", "a".repeat(100)));
        assertBooked("wealthy", "0.001815", 1);
    }

    /** 2.5 seconds at 0.0001 dollars; of the model of tokens, 30 of audio and 15 of text, and the fields of the form. */
    @ParameterizedTest
    @CsvSource({"whisper-1, 0.00025", "gpt-transcribe, 0.0001875", "gpt-4o-transcribe, 0.0002375"})
    void subtitlesAreEstimatedByTheAudio(String model, String usd) {
        openAi.respondNext(1, 200, "1\n00:00:00,000 --> 00:00:02,500\nHi\n", "content-type", "text/plain");
        transcribe("wealthy", Form.of(new JsonObject().put("model", model).put("response_format", "srt")));
        assertBooked("wealthy", usd, 1);
    }

    @Test
    void imagesInAnAnswerThatIsNotUnderstoodAreEstimated() {
        openAi.respondNext(1, 200, "<html>", "content-type", "text/html");
        post("wealthy", IMAGES, new JsonObject().put("model", "dall-e-3").put("n", 2));
        assertBooked("wealthy", "0.08", 1);
    }

    /** Two images, each with an event and a usage of its own: 50 tokens of text at 5, and 4160 of the image at 40 dollars per million. */
    @Test
    void imagesOfAStreamAreAdded() {
        var event = "data: {\"type\":\"image_generation.completed\",\"usage\":{\"input_tokens\":50,\"output_tokens\":4160,"
                + "\"input_tokens_details\":{\"text_tokens\":50,\"image_tokens\":0}}}\n\n";
        openAi.streamNext(1, event, event);
        post("wealthy", IMAGES, new JsonObject().put("model", "gpt-image-1").put("n", 2).put("stream", true));
        assertBooked("wealthy", "0.3333", 0);
    }

    /** As reserved: two images of 1024 × 1536 pixels in high quality are 12,480 tokens at 40, and the request 20 tokens at 5 dollars per million. */
    @Test
    void brokenStreamOfImagesIsEstimated() {
        openAi.streamNext(1, "data: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"AAAA\"}\n\n");
        post("wealthy", IMAGES, new JsonObject().put("model", "gpt-image-1").put("n", 2).put("quality", "high")
                .put("size", "1024x1536").put("stream", true));
        assertBooked("wealthy", "0.4993", 1);
    }

    /** One of two images is not the end of the stream: booked as reserved, as if nothing was known. */
    @Test
    void streamThatIsCutAfterAnImageIsEstimated() {
        openAi.streamNext(1, "data: {\"type\":\"image_generation.completed\",\"usage\":{\"input_tokens\":50,"
                + "\"output_tokens\":6240,\"input_tokens_details\":{\"text_tokens\":50,\"image_tokens\":0}}}\n\n");
        post("wealthy", IMAGES, new JsonObject().put("model", "gpt-image-1").put("n", 2).put("quality", "high")
                .put("size", "1024x1536").put("stream", true));
        assertBooked("wealthy", "0.4993", 1);
    }

    /** The tokens of a model that is billed by seconds have no price: the request's seconds are booked. */
    @Test
    void usageInOtherUnitsThanThePriceIsEstimated() {
        openAi.respondNext(1, 200,
                "{\"text\":\"Hi\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":1000000,\"output_tokens\":1}}");
        transcribe("wealthy", Form.of(new JsonObject().put("model", "whisper-1")));
        assertBooked("wealthy", "0.00025", 1);
    }

    /** On one cent a day: 2 cents for 200 seconds, which an empty budget admits once, or for an image. */
    @Test
    void callsCountAgainstTheBudget() {
        openAi.respondNext(1, 200, "{\"text\":\"Hi\",\"usage\":{\"type\":\"duration\",\"seconds\":50}}");
        var form = Form.of(new JsonObject().put("model", "whisper-1"), Form.wav(200));
        assertThat(transcribe("money", form).statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().body()).isEqualTo(form.body());
        assertThat(openAi.lastRequest().header("content-type")).isEqualTo(form.contentType());
        assertThat(windowUsage("money", "llm:openai:budget")).isEqualTo(5_000_000);
        assertThat(transcribe("money", form).statusCode()).isEqualTo(429);
        assertThat(post("money", IMAGES, new JsonObject().put("model", "dall-e-2").put("size", "256x256")).statusCode())
                .isEqualTo(429);
        assertThat(openAi.requests()).hasSize(1);
        assertBooked("money", "0.005", 0);
    }

    @ParameterizedTest
    @CsvSource({IMAGES + ", nobody-knows-me", IMAGES + ", whisper-1", IMAGES + ", ''", SPEECH + ", gpt-transcribe",
            "/openai/v1/chat/completions, whisper-1", "/openai/v1/chat/completions, dall-e-3"})
    void callWithoutAPriceInItsUnitsIsRefusedUnderABudget(String path, String model) {
        openAi.respondNext(1, 200, NO_ANSWER);
        var body = new JsonObject().put("input", "Hi");
        var response = post("money", path, model.isEmpty() ? body : body.put("model", model));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(429);
        assertThat(response.body()).contains("The model has no price");
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void callWithoutAPriceIsFlaggedWhereNoBudgetApplies() {
        openAi.respondNext(1, 200, NO_ANSWER);
        assertThat(post("wealthy", IMAGES, new JsonObject().put("model", "nobody-knows-me")).statusCode()).isEqualTo(200);
        assertThat(ledger("user:wealthy", "openai").getLong("unpriced_calls")).isEqualTo(1);
    }

    @Test
    void failedCallsCostNothing() {
        openAi.failNext(2, 400);
        transcribe("wealthy", Form.of(new JsonObject().put("model", "whisper-1")));
        post("wealthy", SPEECH, new JsonObject().put("model", "tts-1").put("input", "Hi"));
        assertThat(ledger("user:wealthy")).isEmpty();
    }

    /** Its forms have a charset, and a type for each field. */
    @Test
    void formsOfTheOfficialSdkAreRead() {
        openAi.respondNext(1, 200, "{\"text\":\"Hi\",\"usage\":{\"type\":\"duration\",\"seconds\":27}}");
        openAi.respondNext(1, 200,
                "{\"created\":1,\"data\":[],\"usage\":{\"input_tokens\":0,\"output_tokens\":4160,\"total_tokens\":4160,"
                        + "\"input_tokens_details\":{\"text_tokens\":0,\"image_tokens\":0}}}");
        try (var sdk = new OpenAiSdk("http://127.0.0.1:" + port + "/openai/v1", "key-of-wealthy", 0)) {
            var text = sdk.client().audio().transcriptions().create(TranscriptionCreateParams.builder().model("whisper-1")
                    .file(Form.wav(2.5).getBytes(StandardCharsets.US_ASCII)).build());
            assertThat(text.asTranscription().text()).isEqualTo("Hi");
            sdk.client().images().edit(ImageEditParams.builder().model("gpt-image-1").prompt("é")
                    .image(new ByteArrayInputStream(new byte[]{1, 2, 3})).build());
        }
        assertThat(ledger("user:wealthy", "openai").getJsonObject("models").fieldNames())
                .containsExactlyInAnyOrder("whisper-1", "gpt-image-1");
        assertThat(ledger("user:wealthy", "openai").getString("cost_usd")).isEqualTo("0.1691"); // 0.0027 + 0.1664
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"model\":\"whisper-1\"}", "model=whisper-1"})
    void transcriptionWithoutAFormIsRejected(String body) {
        var response = http.post(TRANSCRIPTIONS, body, "Authorization", "Bearer key-of-money", "Content-Type",
                "application/json");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("multipart/form-data");
        assertThat(openAi.requests()).isEmpty();
    }

    /** The provider could read the other model, which is dearer. */
    @Test
    void formWithTwoModelsIsRejected() {
        var form = Form.of(new JsonObject().put("model", "whisper-1"));
        var other = form.body().substring(0, form.body().indexOf("\r\n--", 2) + 2).replace("whisper-1", "gpt-4o-transcribe");
        var response = transcribe("money", new Form(form.boundary(), other + form.body()));
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("model must occur once");
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void moderationsAreFree() {
        openAi.respondNext(1, 200, "{\"id\":\"modr-1\",\"results\":[]}");
        var response = post("money", "/openai/v1/moderations", new JsonObject().put("input", "Hi"));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(header(response, "x-ratelimit-limit")).isEqualTo("60");
        assertThat(windowUsage("money", "llm:openai:free")).isEqualTo(1);
        assertThat(windowUsage("money", "llm:openai")).isZero();
        assertThat(ledger("user:money")).isEmpty();
    }

    /** As of a chat: the caller does not get the usage that Sluice has requested. */
    @Test
    void usageOfACompletionStreamIsRequestedAndRemoved() {
        var text = "data: {\"model\":\"gpt-3.5-turbo-instruct\",\"choices\":[{\"text\":\"Hi\",\"index\":0}]}\n\n";
        openAi.streamNext(1, text, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500}}\n\n",
                "data: [DONE]\n\n");
        var response = post("wealthy", "/openai/v1/completions",
                new JsonObject().put("model", "gpt-3.5-turbo-instruct").put("prompt", "Hi").put("stream", true));
        assertThat(response.body()).isEqualTo(text + "data: [DONE]\n\n");
        assertThat(openAi.lastRequest().json().getJsonObject("stream_options").getBoolean("include_usage")).isTrue();
        assertBooked("wealthy", "0.0025", 0);
    }

    private HttpResponse<String> predict(String user, String model, int samples) {
        return http.post("/gemini/v1beta/models/" + model + ":predict",
                "{\"instances\":[{\"prompt\":\"A cat\"}],\"parameters\":{\"sampleCount\":" + samples + "}}", "x-goog-api-key",
                "key-of-" + user);
    }

    /** Four cents an image. One of three was filtered. */
    @Test
    void imagenCostsTheImagesInTheAnswer() {
        var image = "{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"AAAA\"}";
        gemini.respondNext(1, 200, "{\"predictions\":[" + image + ',' + image + ",{\"raiFilteredReason\":\"x\"}]}");
        assertThat(predict("wealthy", "imagen-3.0-generate-001", 3).statusCode()).isEqualTo(200);
        var booked = ledger("user:wealthy", "gemini");
        assertThat(booked.getString("cost_usd")).isEqualTo("0.08");
        assertThat(booked.getLong("estimated_calls")).isZero();
    }

    @Test
    void imagenWithoutAnAnswerIsEstimated() {
        gemini.respondNext(1, 200, "<html>", "content-type", "text/html");
        predict("wealthy", "imagen-3.0-generate-001", 3);
        var booked = ledger("user:wealthy", "gemini");
        assertThat(booked.getString("cost_usd")).isEqualTo("0.12");
        assertThat(booked.getLong("estimated_calls")).isEqualTo(1);
    }

    /** Sluice's key is used for what is opened, and nothing without a price passes a budget. */
    @Test
    void imagenIsRestricted() {
        assertThat(predict("wealthy", "imagen-3.0-fast-generate-001", 1).statusCode()).isEqualTo(403);
        assertThat(predict("money", "imagen-9", 1).statusCode()).isEqualTo(429);
        assertThat(gemini.requests()).isEmpty();
    }

    @Test
    void uploadsAreForwardedWhereOpened() {
        gemini.respondNext(1, 200, "{}");
        assertThat(http.post("/gemini/upload/v1beta/files?uploadType=media", "content", "x-goog-api-key", "key-of-wealthy")
                .statusCode()).isEqualTo(200);
        assertThat(gemini.lastRequest().uri()).isEqualTo("/upload/v1beta/files?uploadType=media");
        assertThat(gemini.lastRequest().header("x-goog-api-key")).isEqualTo(LlmProfile.GEMINI_KEY);
        assertThat(http.post("/gemini/upload/v1beta/other", "content", "x-goog-api-key", "key-of-wealthy").statusCode())
                .isEqualTo(403);
        assertThat(http.post("/gemini/upload/files", "content", "x-goog-api-key", "key-of-wealthy").statusCode())
                .isEqualTo(404);
    }

    /** Their cost is not known when they are created. */
    @Test
    void batchesAreRefusedUnderABudgetAndFlaggedWithoutOne() {
        var batch = new JsonObject().put("input_file_id", "file-1").put("endpoint", "/v1/chat/completions");
        assertThat(post("money", "/openai/v1/batches", batch).statusCode()).isEqualTo(429);
        assertThat(openAi.requests()).isEmpty();
        openAi.respondNext(1, 200, "{\"id\":\"batch_1\",\"status\":\"validating\"}");
        assertThat(post("wealthy", "/openai/v1/batches", batch).statusCode()).isEqualTo(200);
        var booked = ledger("user:wealthy", "openai");
        assertThat(booked.getLong("unpriced_calls")).isEqualTo(1);
        assertThat(booked.getLong("estimated_calls")).isEqualTo(1);
        assertThat(http.post("/openai/v1/files", "{}", "Authorization", "Bearer key-of-wealthy").statusCode()).isEqualTo(403);
        assertThat(http.post("/anthropic/v1/messages/batches", "{}", "x-api-key", "key-of-wealthy").statusCode())
                .isEqualTo(403);
    }

    /** The usage of Gemini's interactions is not read: where they are opened, they have no price. */
    @Test
    void interactionsAreRefusedUnderABudgetAndFlaggedWithoutOne() {
        var body = new JsonObject().put("model", "gemini-2.5-flash").put("input", "Hi").encode();
        assertThat(http.post("/gemini/v1beta/interactions", body, "x-goog-api-key", "key-of-money").statusCode())
                .isEqualTo(429);
        assertThat(gemini.requests()).isEmpty();
        gemini.respondNext(1, 200, "{\"status\":\"completed\",\"usage\":{\"total_input_tokens\":5,\"total_output_tokens\":7}}");
        assertThat(http.post("/gemini/v1beta/interactions", body, "x-goog-api-key", "key-of-wealthy").statusCode())
                .isEqualTo(200);
        var booked = ledger("user:wealthy", "gemini");
        assertThat(booked.getLong("calls")).isEqualTo(1);
        assertThat(booked.getLong("unpriced_calls")).isEqualTo(1);
        assertThat(booked.getLong("estimated_calls")).isEqualTo(1);
    }
}
