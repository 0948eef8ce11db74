package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.protocol.Provider;

class ProviderPathsTest {

    @ParameterizedTest
    @CsvSource({"openai, /openai/deployments/d/chat%2Fcompletions", "openai, /openai/deployments/d/embeddings/",
            "openai, /v1/%63hat/completions", "openai, /v1/chat%2fcompletions", "openai, /v1/chat/completions/",
            "openai, /v1/chat/completions//", "openai, /v1/chat/completions%2F", "openai, /v1/chat/completions;a=b",
            "openai, /v1/chat;x/completions", "openai, /v1\\chat\\completions", "openai, /v1/chat/completions%20",
            "openai, /v1/chat/completions%00", "openai, /v1/responses%3Bx", "anthropic, /v1/mess%61ges",
            "anthropic, /v1/messages/",
            "gemini, /v1beta/models/gemini-2.5-flash%3AgenerateContent",
            "gemini, /v1beta/models/gemini-2.5-flash:generateContent/"})
    void otherSpellingsOfCallsAreRecognised(Provider provider, String path) {
        assertThat(ProviderPaths.spellsOperation(provider, "POST", path)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"openai, /v1/chat/completions", "openai, /openai/deployments/d/chat/completions",
            "openai, /openai/deployments/d/unknown/", "openai, /v1/images/generations", "openai, /v1/files/a%20b",
            "anthropic, /v1/messages",
            "anthropic, /v1/messages/batches/", "gemini, /v1beta/files/x%2Fy"})
    void otherPathsAreNot(Provider provider, String path) {
        assertThat(ProviderPaths.spellsOperation(provider, "POST", path)).isFalse();
    }
}
