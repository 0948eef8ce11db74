package dev.sluice.testing.llm;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiTokenUsage;

/** Client using LangChain4j's model for OpenAI. */
public final class LangChain4jSdk {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final String baseUrl;
    private final String key;
    private final int retries;

    /** @param baseUrl with the version */
    public LangChain4jSdk(String baseUrl, String key, int retries) {
        this.baseUrl = baseUrl;
        this.key = key;
        this.retries = retries;
    }

    public SdkResult chat(String model, String prompt) {
        var chat = OpenAiChatModel.builder().baseUrl(baseUrl).apiKey(key).modelName(model).maxRetries(retries).timeout(TIMEOUT)
                .build();
        return toResult(chat.chat(UserMessage.from(prompt)));
    }

    public SdkResult streamChat(String model, String prompt) {
        var chat = OpenAiStreamingChatModel.builder().baseUrl(baseUrl).apiKey(key).modelName(model).timeout(TIMEOUT).build();
        var completed = new CompletableFuture<ChatResponse>();
        chat.chat(prompt, new StreamingChatResponseHandler() {

            @Override
            public void onPartialResponse(String part) {
                // only the complete response is needed
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                completed.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                completed.completeExceptionally(error);
            }
        });
        return toResult(completed.orTimeout(TIMEOUT.toSeconds(), TimeUnit.SECONDS).join());
    }

    private static SdkResult toResult(ChatResponse response) {
        var usage = (OpenAiTokenUsage) response.tokenUsage();
        return new SdkResult(response.aiMessage().text(), usage.inputTokenCount(), usage.inputTokensDetails().cachedTokens(),
                usage.outputTokenCount());
    }
}
