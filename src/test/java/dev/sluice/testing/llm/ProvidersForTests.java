package dev.sluice.testing.llm;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Replaces each provider by a stub. */
public class ProvidersForTests implements QuarkusTestResourceLifecycleManager {

    private static OpenAiStub openAi;
    private static AnthropicStub anthropic;
    private static GeminiStub gemini;

    @Override
    public Map<String, String> start() {
        openAi = new OpenAiStub();
        anthropic = new AnthropicStub();
        gemini = new GeminiStub();
        return Map.of("rate-limit.llm.openai.base-url", openAi.baseUrl() + "/v1", "rate-limit.llm.anthropic.base-url",
                anthropic.baseUrl(), "rate-limit.llm.gemini.base-url", gemini.baseUrl() + "/", "test.stubs",
                openAi.port() + "," + anthropic.port() + "," + gemini.port());
    }

    public static OpenAiStub openAi() {
        return openAi;
    }

    public static AnthropicStub anthropic() {
        return anthropic;
    }

    public static GeminiStub gemini() {
        return gemini;
    }

    @Override
    public void stop() {
        if (openAi != null) {
            openAi.close();
            anthropic.close();
            gemini.close();
        }
    }
}
