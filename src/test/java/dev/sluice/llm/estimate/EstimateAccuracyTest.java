package dev.sluice.llm.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Estimates of requests with prose, code and tools, compared with the tokens that tiktoken's {@code o200k_base} has counted. Each
 * must be within 15 percent.
 */
class EstimateAccuracyTest {

    private record Sample(String name, String text, long tokens) {
    }

    @BeforeAll
    static void load() {
        TextTokens.awaitVocabulary();
    }

    static Stream<Sample> corpus() throws IOException {
        try (var file = EstimateAccuracyTest.class.getResourceAsStream("corpus.json")) {
            return new JsonArray(new String(file.readAllBytes(), StandardCharsets.UTF_8)).stream().map(JsonObject.class::cast)
                    .map(sample -> new Sample(sample.getString("name"), sample.getString("text"), sample.getLong("tokens")));
        }
    }

    private static long estimate(Provider provider, String path, JsonObject body) {
        return LlmRequestParser.parse(provider, ProviderOperation.of(provider, "POST", path), Buffer.buffer(body.encode()))
                .estimatedInputTokens();
    }

    private static JsonObject chat(String text) {
        return new JsonObject().put("model", "gpt-4o").put("messages",
                new JsonArray().add(new JsonObject().put("role", "user").put("content", text)));
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shortTextIsWithin15Percent(Sample sample) {
        assertThat(estimate(Provider.OPENAI, "/v1/chat/completions", chat(sample.text())))
                .isCloseTo(sample.tokens() + 7, withPercentage(15));
        assertThat(estimate(Provider.OPENAI, "/v1/responses", new JsonObject().put("input", sample.text())))
                .isCloseTo(sample.tokens(), withPercentage(15));
        assertThat(estimate(Provider.GEMINI, "/v1beta/models/gemini-2.5-pro:generateContent",
                new JsonObject().put("contents", new JsonArray().add(new JsonObject().put("parts",
                        new JsonArray().add(new JsonObject().put("text", sample.text())))))))
                .isCloseTo(sample.tokens(), withPercentage(15));
    }

    /** Of 64 KB and more, only samples are tokenized. */
    @ParameterizedTest
    @MethodSource("corpus")
    void longTextIsWithin15Percent(Sample sample) {
        for (int times : new int[]{20, 200, 2000}) {
            assertThat(estimate(Provider.OPENAI, "/v1/chat/completions", chat(sample.text().repeat(times))))
                    .isCloseTo(sample.tokens() * times + 7, withPercentage(15));
        }
    }

    /** Texts of different density, one after the other. */
    @ParameterizedTest
    @MethodSource("corpus")
    void mixedTextIsWithin15Percent(Sample sample) throws IOException {
        var messages = new JsonArray();
        long exact = 3;
        for (var other : List.of(sample, corpus().findFirst().orElseThrow(), sample)) {
            messages.add(new JsonObject().put("role", "user").put("content", other.text().repeat(60)));
            exact += 4 + other.tokens() * 60;
        }
        assertThat(estimate(Provider.OPENAI, "/v1/chat/completions", new JsonObject().put("messages", messages)))
                .isCloseTo(exact, withPercentage(15));
    }
}
