package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.protocol.ProviderOperation.Shape;
import io.vertx.core.buffer.Buffer;

/** Usage of tools, and of other things than tokens. */
class ToolUsageTest {

    private static final String CONTAINER = "{\"type\":\"code_interpreter_call\",\"id\":\"ci_1\",\"container_id\":\"cntr_1\"}";

    private static UsageExtractor read(Provider provider, Shape shape, String type, String body) {
        var extractor = UsageExtractor.of(provider, shape, type, null);
        extractor.feed(Buffer.buffer(body));
        extractor.end();
        return extractor;
    }

    private static UsageExtractor document(Shape shape, String body) {
        return read(Provider.OPENAI, shape, "application/json", body);
    }

    private static UsageExtractor events(Shape shape, String... events) {
        return read(Provider.OPENAI, shape, "text/event-stream", "data: " + String.join("\n\ndata: ", events) + "\n\n");
    }

    @Test
    void toolsOfXaiAreThoseThatTheUsageReports() {
        var usage = "\"usage\":{\"input_tokens\":10,\"output_tokens\":5,\"num_server_side_tools_used\":21,"
                + "\"server_side_tool_usage_details\":{\"web_search_calls\":2,\"x_search_calls\":3,\"code_interpreter_calls\":4,"
                + "\"file_search_calls\":5,\"mcp_calls\":6,\"document_search_calls\":7";
        var items = "{\"output\":[" + CONTAINER + ",{\"type\":\"web_search_call\",\"id\":\"ws_1\"}],";
        var searches = Map.of(UsageKind.WEB_SEARCH, 2L, UsageKind.CODE_EXECUTION, 4L, UsageKind.FILE_SEARCH, 5L,
                UsageKind.DOCUMENT_SEARCH, 7L, UsageKind.X_SEARCH, 3L);
        assertThat(document(Shape.RESPONSES, items + usage + "}}}").details().quantities()).isEqualTo(searches);
        assertThat(document(Shape.RESPONSES, items + usage + ",\"x_posts_fetched\":40,\"x_users_fetched\":8}}}").details()
                .quantities()).containsEntry(UsageKind.X_SEARCH, 40L).containsEntry(UsageKind.X_PROFILE, 8L).hasSize(6);
    }

    @Test
    void whatACutStreamHasUsedIsKnown() {
        var cut = events(Shape.RESPONSES,
                "{\"type\":\"response.created\",\"response\":{\"tools\":[{\"type\":\"code_interpreter\","
                        + "\"container\":{\"type\":\"auto\",\"memory_limit\":\"16g\"}}]}}",
                "{\"type\":\"response.output_item.added\",\"item\":" + CONTAINER + "}");
        assertThat(cut.usage()).isNull();
        assertThat(cut.isComplete()).isFalse();
        assertThat(cut.details().quantities()).isEqualTo(Map.of(UsageKind.CONTAINER_GIGABYTE, 16L));
        assertThat(UsageDetails.NONE.withFees(cut.details()).quantities()).isEqualTo(cut.details().quantities());
    }

    @Test
    void failureAfterAToolIsBilled() {
        var failed = "{\"type\":\"response.failed\",\"response\":{\"error\":{},\"usage\":null}}";
        assertThat(events(Shape.RESPONSES, failed).isFailure()).isTrue();
        assertThat(events(Shape.RESPONSES, "{\"type\":\"response.output_item.done\",\"item\":" + CONTAINER + "}", failed)
                .isFailure()).isFalse();
    }

    /** A model may print what looks like a call of a tool. */
    @Test
    void chatsHaveNoToolsOfTheProvider() {
        assertThat(
                document(Shape.CHAT, "{\"output\":[" + CONTAINER + "],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}")
                        .details().quantities())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"64", "65", "512", "513", "700"})
    void allQueriesCount(int queries) {
        var list = IntStream.range(0, queries).mapToObj(i -> "\"q\"").collect(Collectors.joining(","));
        var event = "data: {\"modelVersion\":\"gemini-3.5-flash\",\"candidates\":[{\"groundingMetadata\":{\"webSearchQueries\":["
                + list
                + "]}}],\"usageMetadata\":{\"promptTokenCount\":5}}\n\n";
        var extractor = read(Provider.GEMINI, Shape.GENERATE, "text/event-stream", event + event);
        assertThat(extractor.details().quantities()).isEqualTo(Map.of(UsageKind.WEB_SEARCH, (long) queries));
    }

    @Test
    void queriesOfAllCandidatesCount() {
        var candidate = "{\"groundingMetadata\":{\"webSearchQueries\":[%s]}}";
        var extractor = read(Provider.GEMINI, Shape.GENERATE, "application/json",
                "{\"modelVersion\":\"gemini-3.5-flash\",\"candidates\":[" + candidate.formatted("\"c\",\"d\",\"e\"") + ","
                        + candidate.formatted("\"f\"") + "],\"usageMetadata\":{\"promptTokenCount\":5}}");
        assertThat(extractor.details().quantities()).isEqualTo(Map.of(UsageKind.WEB_SEARCH, 4L));
    }

    @Test
    void imagesOfAStreamAreCounted() {
        var image = "{\"type\":\"image_edit.completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":100}}";
        assertThat(events(Shape.IMAGES, image).isCutWithin(2)).isTrue();
        assertThat(events(Shape.IMAGES, image).isCutWithin(1)).isFalse();
        assertThat(events(Shape.IMAGES, image, image).isCutWithin(2)).isFalse();
        assertThat(document(Shape.IMAGES, "{\"usage\":{\"input_tokens\":1,\"output_tokens\":100}}").isCutWithin(2)).isFalse();
    }

    /** Mistral's, with and without tokens. */
    @Test
    void secondsOfAudioAreReportedBesideTheTokens() {
        var both = document(Shape.TRANSCRIPTION,
                "{\"usage\":{\"prompt_audio_seconds\":30,\"prompt_tokens\":150,\"completion_tokens\":42,\"total_tokens\":192}}");
        assertThat(both.usage()).isEqualTo(TokenUsage.of(150, 42));
        assertThat(both.details().quantities()).isEqualTo(Map.of(UsageKind.AUDIO_MILLISECOND, 30_000L));
        var seconds = document(Shape.TRANSCRIPTION, "{\"text\":\"\",\"usage\":{\"prompt_audio_seconds\":2.5}}");
        assertThat(seconds.usage()).isEqualTo(TokenUsage.NONE);
        assertThat(seconds.details().quantities()).isEqualTo(Map.of(UsageKind.AUDIO_MILLISECOND, 2500L));
        var stream = events(Shape.TRANSCRIPTION, "{\"type\":\"transcription.text.delta\",\"text\":\"Hi\"}",
                "{\"type\":\"transcription.done\",\"usage\":{\"prompt_audio_seconds\":3,\"prompt_tokens\":8,\"completion_tokens\":4}}");
        assertThat(stream.isComplete()).isTrue();
        assertThat(stream.details().quantities()).isEqualTo(Map.of(UsageKind.AUDIO_MILLISECOND, 3000L));
    }

    /** In US dollars, OpenRouter's; in 10⁻¹⁰ US dollars, xAI's. */
    @ParameterizedTest
    @CsvSource({"'\"cost\":0.0011025', 1102500000", "'\"cost\":3', 3000000000000", "'\"cost\":1.5e-9', 1500",
            "'\"cost_in_usd_ticks\":37756000', 3775600000", "'\"cost\":-1', 0", "'\"cost\":\"1\"', 0", "'\"cost\":1e9', 0",
            "'\"cost_in_usd_ticks\":-5', 0", "'\"cost_in_usd_ticks\":9000000000000000000', 0", "'\"other\":1', 0"})
    void costThatTheProviderReportsIsKept(String field, long picodollars) {
        var usage = "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1," + field + "}";
        assertThat(document(Shape.CHAT, usage + "}").details().reportedPicodollars()).isEqualTo(picodollars);
        assertThat(events(Shape.CHAT, usage + ",\"choices\":[]}", "[DONE]").details().reportedPicodollars())
                .isEqualTo(picodollars);
    }
}
