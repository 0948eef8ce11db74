package dev.sluice.testing.llm;

import java.time.Duration;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionUsage;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseUsage;

/** Client using OpenAI's official SDK. */
public final class OpenAiSdk implements AutoCloseable {

    private final OpenAIClient client;

    /**
     * @param baseUrl with the version
     * @param retries the SDK's own default is 2
     */
    public OpenAiSdk(String baseUrl, String key, int retries) {
        client = OpenAIOkHttpClient.builder().baseUrl(baseUrl).apiKey(key).maxRetries(retries)
                .timeout(Duration.ofSeconds(30)).build();
    }

    public OpenAIClient client() {
        return client;
    }

    public SdkResult chat(String model, String prompt) {
        var completion = client.chat().completions().create(chatParams(model, prompt).build());
        return toResult(completion.choices().get(0).message().content().orElse(""), completion.usage().orElse(null));
    }

    /** @param includeUsage requests the usage at the end of the stream */
    public SdkResult streamChat(String model, String prompt, boolean includeUsage) {
        var params = chatParams(model, prompt);
        if (includeUsage) {
            params.streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build());
        }
        var text = new StringBuilder();
        var usage = new CompletionUsage[1];
        try (var chunks = client.chat().completions().createStreaming(params.build())) {
            chunks.stream().forEach(chunk -> {
                chunk.choices().forEach(choice -> choice.delta().content().ifPresent(text::append));
                chunk.usage().ifPresent(reported -> usage[0] = reported);
            });
        }
        return toResult(text.toString(), usage[0]);
    }

    private static ChatCompletionCreateParams.Builder chatParams(String model, String prompt) {
        return ChatCompletionCreateParams.builder().model(model).addUserMessage(prompt);
    }

    private static SdkResult toResult(String text, CompletionUsage usage) {
        return usage == null
                ? new SdkResult(text, 0, 0, 0)
                : new SdkResult(text, usage.promptTokens(),
                        usage.promptTokensDetails().flatMap(CompletionUsage.PromptTokensDetails::cachedTokens).orElse(0L),
                        usage.completionTokens());
    }

    public SdkResult createResponse(String model, String prompt) {
        return toResult(client.responses().create(ResponseCreateParams.builder().model(model).input(prompt).build()));
    }

    public SdkResult streamResponse(String model, String prompt) {
        var text = new StringBuilder();
        var usage = new ResponseUsage[1];
        try (var events = client.responses()
                .createStreaming(ResponseCreateParams.builder().model(model).input(prompt).build())) {
            events.stream().forEach(event -> {
                event.outputTextDelta().ifPresent(delta -> text.append(delta.delta()));
                event.completed().ifPresent(end -> usage[0] = end.response().usage().orElse(null));
                event.incomplete().ifPresent(end -> usage[0] = end.response().usage().orElse(null));
                event.failed().ifPresent(end -> usage[0] = end.response().usage().orElse(null));
            });
        }
        return toResult(text.toString(), usage[0]);
    }

    private static SdkResult toResult(Response response) {
        var text = new StringBuilder();
        response.output().forEach(item -> item.message().ifPresent(message -> message.content()
                .forEach(content -> content.outputText().ifPresent(output -> text.append(output.text())))));
        return toResult(text.toString(), response.usage().orElse(null));
    }

    private static SdkResult toResult(String text, ResponseUsage usage) {
        return usage == null
                ? new SdkResult(text, 0, 0, 0)
                : new SdkResult(text, usage.inputTokens(), usage.inputTokensDetails().cachedTokens(), usage.outputTokens());
    }

    /** Returns the vector as text. */
    public SdkResult embed(String model, String text) {
        var response = client.embeddings().create(EmbeddingCreateParams.builder().model(model).input(text).build());
        return new SdkResult(response.data().get(0).embedding().toString(), response.usage().promptTokens(), 0, 0);
    }

    /** Returns the ids of all models, one per line. */
    public String models() {
        var ids = new StringBuilder();
        client.models().list().data().forEach(model -> ids.append(model.id()).append('\n'));
        return ids.toString().strip();
    }

    @Override
    public void close() {
        client.close();
    }
}
