package dev.sluice.testing.llm;

import java.time.Duration;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;

/** Client using Anthropic's official SDK. */
public final class AnthropicSdk implements AutoCloseable {

    private final AnthropicClient client;

    /**
     * @param baseUrl without a version
     * @param retries the SDK's own default is 2
     */
    public AnthropicSdk(String baseUrl, String key, int retries) {
        client = AnthropicOkHttpClient.builder().baseUrl(baseUrl).apiKey(key).maxRetries(retries)
                .timeout(Duration.ofSeconds(30)).build();
    }

    public AnthropicClient client() {
        return client;
    }

    public SdkResult createMessage(String model, String prompt) {
        var message = client.messages().create(params(model, prompt));
        var text = new StringBuilder();
        message.content().forEach(block -> block.text().ifPresent(part -> text.append(part.text())));
        var usage = message.usage();
        return new SdkResult(text.toString(), usage.inputTokens(), usage.cacheReadInputTokens().orElse(0L),
                usage.outputTokens());
    }

    public SdkResult streamMessage(String model, String prompt) {
        var text = new StringBuilder();
        var counts = new long[3];
        try (var events = client.messages().createStreaming(params(model, prompt))) {
            events.stream().forEach(event -> {
                event.messageStart().ifPresent(start -> {
                    counts[0] = start.message().usage().inputTokens();
                    counts[1] = start.message().usage().cacheReadInputTokens().orElse(0L);
                });
                event.contentBlockDelta()
                        .ifPresent(delta -> delta.delta().text().ifPresent(part -> text.append(part.text())));
                event.messageDelta().ifPresent(delta -> counts[2] = delta.usage().outputTokens());
            });
        }
        return new SdkResult(text.toString(), counts[0], counts[1], counts[2]);
    }

    private static MessageCreateParams params(String model, String prompt) {
        return MessageCreateParams.builder().model(model).maxTokens(64).addUserMessage(prompt).build();
    }

    public long countTokens(String model, String prompt) {
        return client.messages().countTokens(MessageCountTokensParams.builder().model(model).addUserMessage(prompt).build())
                .inputTokens();
    }

    @Override
    public void close() {
        client.close();
    }
}
