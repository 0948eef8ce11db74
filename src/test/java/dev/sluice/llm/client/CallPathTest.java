package dev.sluice.llm.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderOperation.Shape;

class CallPathTest {

    @ParameterizedTest
    @CsvSource({"openai, /v1/chat/completions, CHAT", "openai, /proxy/v1/of/v1/responses, RESPONSES",
            "anthropic, /anthropic/v1/messages, MESSAGES", "gemini, /v1beta/models/gemini-2.5-flash:generateContent, GENERATE",
            "gemini, /some/v1/models/gemini-2.5-flash:streamGenerateContent, GENERATE",
            "gemini, /v1beta/openai/chat/completions, CHAT", "gemini, /proxy/v1beta/openai/embeddings, OPENAI_EMBEDDINGS",
            "openai, /v1beta/openai/chat/completions, CHAT", "openai, /openai/v1/chat/completions, CHAT",
            "openai, /api/paas/v4/embeddings, EMBEDDINGS", "openai, /chat/completions, CHAT",
            "openai, /deployments/x/chat/completions, CHAT"})
    void findsVersionBehindAPrefix(Provider provider, String path, Shape shape) {
        var operation = CallPath.operation(provider, "POST", path);
        assertThat(operation.kind()).isEqualTo(Kind.CALL);
        assertThat(operation.shape()).isEqualTo(shape);
        assertThat(CallPath.isCounted(operation, "POST")).isTrue();
    }

    /** Its name stands for that of a model. */
    @ParameterizedTest
    @ValueSource(strings = {"/openai/deployments/my-gpt.2/chat/completions",
            "/proxy/openai/deployments/my-gpt.2/chat/completions"})
    void findsDeployments(String path) {
        var operation = CallPath.operation(Provider.OPENAI, "POST", path);
        assertThat(operation.shape()).isEqualTo(Shape.CHAT);
        assertThat(operation.model()).isEqualTo("my-gpt.2");
        assertThat(CallPath.operation(Provider.ANTHROPIC, "POST", path).kind()).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void unknownPostIsCounted() {
        for (var path : new String[]{null, "", "/", "/deployments/x/chat/completions", "/v1/images"}) {
            assertThat(CallPath.isCounted(CallPath.operation(Provider.OPENAI, "POST", path), "POST")).isTrue();
            assertThat(CallPath.isCounted(CallPath.operation(Provider.OPENAI, "GET", path), "GET")).isFalse();
        }
        assertThat(CallPath.isCounted(CallPath.operation(Provider.ANTHROPIC, "POST", "/v1/messages/count_tokens"), "POST"))
                .isFalse();
    }
}
