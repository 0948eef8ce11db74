package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.protocol.Provider;

class ProviderPathsTest {

    @ParameterizedTest
    @CsvSource({"OPENAI, /v1/%63hat/completions", "OPENAI, /v1/chat%2fcompletions", "OPENAI, /v1/chat/completions/",
            "OPENAI, /v1/chat/completions//", "OPENAI, /v1/chat/completions%2F", "OPENAI, /v1/chat/completions;a=b",
            "OPENAI, /v1/chat;x/completions", "OPENAI, /v1\\chat\\completions", "OPENAI, /v1/chat/completions%20",
            "OPENAI, /v1/chat/completions%00", "OPENAI, /v1/responses%3Bx", "ANTHROPIC, /v1/mess%61ges",
            "ANTHROPIC, /v1/messages/",
            "GEMINI, /v1beta/models/gemini-2.5-flash%3AgenerateContent",
            "GEMINI, /v1beta/models/gemini-2.5-flash:generateContent/"})
    void otherSpellingsOfCallsAreRecognised(Provider provider, String path) {
        assertThat(ProviderPaths.spellsOperation(provider, "POST", path)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"OPENAI, /v1/chat/completions", "OPENAI, /v1/images/generations", "OPENAI, /v1/files/a%20b",
            "ANTHROPIC, /v1/messages",
            "ANTHROPIC, /v1/messages/batches/", "GEMINI, /v1beta/files/x%2Fy"})
    void otherPathsAreNot(Provider provider, String path) {
        assertThat(ProviderPaths.spellsOperation(provider, "POST", path)).isFalse();
    }
}
