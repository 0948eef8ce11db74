package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;

class CallRecorderTest {

    @ParameterizedTest
    @CsvSource({"openai,POST,/v1/chat/completions,/v1/chat/completions", "openai,POST,/v1/responses/input_tokens,"
            + "/v1/responses/input_tokens", "openai,GET,/v1/models,/v1/models",
            "openai,GET,/v1/models/ft:gpt-4o:acme,"
                    + "/v1/models/{model}",
            "openai,GET,/v1/files/a-name,/{path}", "openai,GET,/v1/responses/resp_1,/v1/responses/{id}",
            "openai,POST,/v1/responses/resp_1/cancel,/v1/responses/{id}/cancel", "openai,POST,//v1/embeddings,/{path}",
            "anthropic,POST,/v1/messages,/v1/messages", "anthropic,GET,/v1/models/claude,/v1/models/{model}",
            "gemini,POST,/v1beta/models/gemini-pro:generateContent,/v1beta/models/{model}:generateContent",
            "gemini,POST,/v1/models/gemini-pro:countTokens,/v1/models/{model}:countTokens",
            "gemini,GET,/v1beta/models/gemini-pro,/v1beta/models/{model}",
            "gemini,POST,/v1beta/models/gemini-pro:anything,/{path}"})
    void routesAreBounded(Provider provider, String method, String path, String route) {
        assertThat(CallRecorder.route(provider, ProviderOperation.of(provider, method, path), path)).isEqualTo(route);
    }
}
