package dev.sluice.testing.llm;

import java.util.Optional;

import com.google.genai.Client;
import com.google.genai.types.GenerateContentResponse;
import com.google.genai.types.GenerateContentResponseUsageMetadata;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.HttpRetryOptions;

/** Client using Google's official SDK for Gemini. Output contains the candidates' tokens, without the thoughts. */
public final class GeminiSdk implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 30_000;

    private final Client client;

    /**
     * @param baseUrl without a version
     * @param retries the SDK's own default is 4, the first after about a second, whatever {@code retry-after} says
     */
    public GeminiSdk(String baseUrl, String key, int retries) {
        client = Client.builder().apiKey(key).vertexAI(false).httpOptions(HttpOptions.builder().baseUrl(baseUrl)
                .timeout(TIMEOUT_MILLIS).retryOptions(HttpRetryOptions.builder().attempts(1 + retries).build()).build())
                .build();
    }

    public Client client() {
        return client;
    }

    public SdkResult generate(String model, String prompt) {
        var response = client.models.generateContent(model, prompt, null);
        return toResult(response.text(), response);
    }

    public SdkResult generateStream(String model, String prompt) {
        var text = new StringBuilder();
        GenerateContentResponse last = null;
        try (var chunks = client.models.generateContentStream(model, prompt, null)) {
            for (var chunk : chunks) {
                text.append(Optional.ofNullable(chunk.text()).orElse(""));
                last = chunk;
            }
        }
        return toResult(text.toString(), last);
    }

    private static SdkResult toResult(String text, GenerateContentResponse response) {
        var usage = response.usageMetadata();
        return new SdkResult(text, usage.flatMap(GenerateContentResponseUsageMetadata::promptTokenCount).orElse(0),
                usage.flatMap(GenerateContentResponseUsageMetadata::cachedContentTokenCount).orElse(0),
                usage.flatMap(GenerateContentResponseUsageMetadata::candidatesTokenCount).orElse(0));
    }

    /** Returns the vector as text. */
    public SdkResult embed(String model, String text) {
        var embeddings = client.models.embedContent(model, text, null).embeddings().orElseThrow();
        return new SdkResult(embeddings.get(0).values().orElseThrow().toString(), 0, 0, 0);
    }

    public int countTokens(String model, String prompt) {
        return client.models.countTokens(model, prompt, null).totalTokens().orElseThrow();
    }

    @Override
    public void close() {
        client.close();
    }
}
