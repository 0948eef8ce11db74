package dev.sluice.llm.protocol;

import static dev.sluice.llm.protocol.ProviderOperation.Kind.CALL;
import static dev.sluice.llm.protocol.ProviderOperation.Kind.FREE;
import static dev.sluice.llm.protocol.ProviderOperation.Kind.STORED;
import static dev.sluice.llm.protocol.ProviderOperation.Kind.UNKNOWN;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.ProviderOperation.Shape;

class ProviderOperationTest {

    @ParameterizedTest
    @CsvSource({"openai, /v1/chat/completions, CHAT", "openai, /v1/responses, RESPONSES",
            "openai, /v1/responses/compact, RESPONSES",
            "openai, /v1/completions, COMPLETION", "openai, /v1/images/generations, IMAGES", "openai, /v1/images/edits, IMAGES",
            "openai, /v1/audio/speech, SPEECH", "openai, /v1/audio/transcriptions, TRANSCRIPTION",
            "openai, /v1/audio/translations, TRANSCRIPTION", "openai, /v1/embeddings, EMBEDDINGS",
            "anthropic, /v1/messages, MESSAGES", "gemini, /v1beta/models/gemini-2.5-pro:generateContent, GENERATE",
            "gemini, /v1beta/models/gemini-2.5-pro:streamGenerateContent, GENERATE",
            "gemini, /v1/models/gemini-2.5-pro:streamGenerateContent, GENERATE",
            "gemini, /v1beta/models/gemini-2.5-pro:embedContent, EMBEDDINGS",
            "gemini, /v1beta/models/gemini-2.5-pro:batchEmbedContents, EMBEDDINGS"})
    void whatSpendsTokensIsACall(Provider provider, String path, Shape shape) {
        var operation = ProviderOperation.of(provider, "POST", path);
        assertThat(operation.kind()).isEqualTo(CALL);
        assertThat(operation.shape()).isEqualTo(shape);
        assertThat(operation.model()).isEqualTo(provider == Provider.GEMINI ? "gemini-2.5-pro" : "");
        assertThat(operation.streaming()).isEqualTo(path.contains("stream"));
        for (var method : new String[]{"GET", "PUT", "DELETE", "HEAD", "post", "OPTIONS"}) {
            assertThat(ProviderOperation.of(provider, method, path).kind()).as(method).isEqualTo(UNKNOWN);
        }
    }

    @ParameterizedTest
    @CsvSource({"openai, POST, /v1/responses/input_tokens", "openai, GET, /v1/models",
            "openai, GET, /v1/models/ft:gpt-4o:org::id", "openai, POST, /v1/moderations",
            "anthropic, POST, /v1/messages/count_tokens",
            "anthropic, GET, /v1/models", "anthropic, GET, /v1/models/claude-opus-5",
            "gemini, POST, /v1beta/models/gemini-2.5-pro:countTokens", "gemini, GET, /v1beta/models",
            "gemini, GET, /v1beta/models/gemini-2.5-pro"})
    void whatSpendsNoneIsFree(Provider provider, String method, String path) {
        assertThat(ProviderOperation.of(provider, method, path).kind()).isEqualTo(FREE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/v1", "/v1/", "//v1/chat/completions", "/v1//chat/completions",
            "/v1/chat/completions/", "/v1/./chat/completions", "/v1/x/../chat/completions", "/v1/chat%2Fcompletions",
            "/v1/chat/%63ompletions", "/v1/Chat/completions", "/v1/chat/completions;a", "/v1/chat/completions?",
            "/v1/chat/completions\n", "v1/chat/completions", "/v1\\chat\\completions", "/v1/responses/resp_1",
            "/v1/responses/resp_1/input_items",
            "/v1/responses/input_tokens/", "/v1/messages/batches", "/v1/messages/count_tokens/..", "/v1/files",
            "/v1beta/models/m", "/v1beta/models/:generateContent", "/v1beta/models:generateContent",
            "/v1beta/models/m:generateContent:countTokens", "/v1beta/models/m:countTokens:generateContent",
            "/v1beta/models/m%3AgenerateContent", "/v1beta/models/m%3AgenerateContent:countTokens",
            "/v1beta/models/m%2Fn:countTokens", "/v1beta/models/m%2fn:generateContent",
            "/v1beta/models/m%252Fn:generateContent", "/v1beta/models/m/n:generateContent",
            "/v1beta/models/..:generateContent", "/v1beta/models/%2E%2E:generateContent",
            "/v1beta/models/%2e:generateContent", "/v1beta/models/a..b:generateContent",
            "/v1beta/models/m%:generateContent", "/v1beta/models/m%0A:generateContent",
            "/v1beta/models/m%C3%A9:generateContent", "/v1beta/models/m%00:generateContent",
            "/v1beta/models/m:GenerateContent", "/v1beta/models/m:generateContent/", "/v1beta/models/m:",
            "/v2/models/m:generateContent", "/v1betax/models/m:generateContent", "/v1beta//models/m:generateContent",
            "/v1beta/tunedModels/m:generateContent",
            "/v1beta/models/m:%67enerateContent", "/v1beta/models/m:generateContent\n",
            "/v1beta/models/m$1:generateContent"})
    void allElseIsUnknown(String path) {
        for (var provider : Provider.BUILT_IN) {
            assertThat(ProviderOperation.of(provider, "POST", path).kind()).as(provider.id()).isEqualTo(UNKNOWN);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/models/", "/v1/models//", "/v1/models/..", "/v1/models/.", "/v1/models/a/b",
            "/v1/models/a%2Fb", "/v1/models/a\n", "/v1/files", "/v1beta/models/",
            "/v1beta/models/a/b", "/v1beta/models/a:generateContent", "/v1beta/models/%2e%2e", "/v1beta/files",
            "/v1/responses/resp_1/cancel", "/v1/responses/resp_", "/v1/responses/x", "/v1/responses/resp_1/x",
            "/v1/responses/ad5663da-63e6-86c6-e0be-ff15effa835", "/v1/responses/AD5663DA-63E6-86C6-E0BE-FF15EFFA8357"})
    void onlyModelsAreListedFree(String path) {
        for (var provider : Provider.BUILT_IN) {
            assertThat(ProviderOperation.of(provider, "GET", path).kind()).as(provider.id()).isEqualTo(UNKNOWN);
        }
    }

    @ParameterizedTest
    @CsvSource({"GET, /v1/responses/resp_1", "DELETE, /v1/responses/resp_1", "POST, /v1/responses/resp_1/cancel",
            "GET, /v1/responses/resp_1/input_items"})
    void responsesOfOpenAiAreStored(String method, String path) {
        assertThat(ProviderOperation.of(Provider.OPENAI, method, path).kind()).isEqualTo(STORED);
        assertThat(ProviderOperation.storedResponse(path)).isEqualTo("resp_1");
        for (var other : new String[]{path + "/", path.replace("resp_1", "resp%5F1"), path.replace("resp_1", "resp_1/.."),
                path.replace("resp_1", "resp_" + "1".repeat(251)), path + "\n"}) {
            assertThat(ProviderOperation.of(Provider.OPENAI, method, other).kind()).as(other).isEqualTo(UNKNOWN);
        }
        assertThat(ProviderOperation.of(Provider.ANTHROPIC, method, path).kind()).isEqualTo(UNKNOWN);
        assertThat(ProviderOperation.of(Provider.OPENAI, "PUT", path).kind()).isEqualTo(UNKNOWN);
    }

    @ParameterizedTest
    @CsvSource({"GET, ''", "DELETE, ''", "POST, /cancel", "GET, /input_items"})
    void responsesOfXaiHaveUuids(String method, String action) {
        var id = "ad5663da-63e6-86c6-e0be-ff15effa8357";
        var path = "/v1/responses/" + id + action;
        assertThat(ProviderOperation.of(Provider.ofPriceList("xai"), method, path).kind()).isEqualTo(STORED);
        assertThat(ProviderOperation.storedResponse(path)).isEqualTo(id);
    }

    @Test
    void geminiHasAFormOfOpenAi() {
        var chat = ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/openai/chat/completions");
        assertThat(chat).isEqualTo(new ProviderOperation(CALL, Shape.CHAT, "", false));
        assertThat(ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/openai/embeddings"))
                .isEqualTo(new ProviderOperation(CALL, Shape.OPENAI_EMBEDDINGS, "", false));
        for (var path : new String[]{"/v1/openai/chat/completions", "/v1beta/openai/chat/completions/",
                "/v1beta/openai/responses"}) {
            assertThat(ProviderOperation.of(Provider.GEMINI, "POST", path).kind()).as(path).isEqualTo(UNKNOWN);
        }
    }

    @Test
    void imagenIsRestricted() {
        var predict = ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/models/imagen-3.0-generate-001:predict");
        assertThat(predict).isEqualTo(new ProviderOperation(CALL, Shape.PREDICT, "imagen-3.0-generate-001", false));
        assertThat(predict.shape().isRestricted()).isTrue();
        assertThat(ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/models/veo-3:predictLongRunning").kind())
                .isEqualTo(UNKNOWN);
    }

    @Test
    void decodesGeminiModelName() {
        assertThat(ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/models/gemini%2D2%2E5:generateContent").model())
                .isEqualTo("gemini-2.5");
        assertThat(
                ProviderOperation.of(Provider.GEMINI, "POST", "/v1beta/models/" + "m".repeat(257) + ":generateContent").kind())
                .isEqualTo(UNKNOWN);
    }
}
