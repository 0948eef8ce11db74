package dev.sluice.testing.llm;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.TokenUsage;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Verifies the bytes that the stubs send, and their failures. */
class StubsTest {

    private static final String CHAT = "{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[]}";
    private static final String CHAT_WITH_USAGE = "{\"model\":\"gpt-4o\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
            + "\"messages\":[]}";
    private static final String MESSAGE = "{\"model\":\"claude-haiku-4-5\",\"stream\":true,\"max_tokens\":9,\"messages\":[]}";

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final OpenAiStub openAi = new OpenAiStub();
    private final AnthropicStub anthropic = new AnthropicStub();
    private final GeminiStub gemini = new GeminiStub();

    @AfterEach
    void close() {
        openAi.close();
        anthropic.close();
        gemini.close();
    }

    private HttpResponse<InputStream> open(ProviderStub stub, String path, String body, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(stub.baseUrl() + path))
                .headers("Authorization", "Bearer k", "x-goog-api-key", "k", "anthropic-version", "2023-06-01")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    }

    private String post(ProviderStub stub, String path, String body, String... headers) throws Exception {
        try (var stream = open(stub, path, body, headers).body()) {
            return text(stream.readAllBytes());
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Returns the data of each event, and verifies their separators. */
    private static List<String> data(String stream, String separator) {
        assertThat(stream).endsWith(separator);
        var data = new ArrayList<String>();
        for (var event : stream.substring(0, stream.length() - separator.length()).split(separator)) {
            var lines = event.split("\n");
            assertThat(lines).hasSizeLessThan(3);
            var last = lines[lines.length - 1];
            assertThat(last).startsWith("data: ");
            data.add(last.substring("data: ".length()));
            if (lines.length == 2) {
                assertThat(lines[0]).isEqualTo("event: " + new JsonObject(data.get(data.size() - 1)).getString("type"));
            }
        }
        return data;
    }

    @Test
    void openAiReportsUsageOnlyOnRequest() throws Exception {
        var plain = data(post(openAi, "/v1/chat/completions", CHAT), "\n\n");
        assertThat(plain).hasSize(7).last().isEqualTo("[DONE]");
        assertThat(plain).noneMatch(event -> event.contains("\"usage\""));
        var counted = data(post(openAi, "/v1/chat/completions", CHAT_WITH_USAGE), "\n\n");
        assertThat(counted).hasSize(8).last().isEqualTo("[DONE]");
        assertThat(counted.subList(0, 6)).allMatch(event -> event.contains("\"usage\":null"));
        var end = new JsonObject(counted.get(6));
        assertThat(end.getJsonArray("choices")).isEmpty();
        assertThat(end.getJsonObject("usage").getInteger("prompt_tokens")).isEqualTo(12);
    }

    @Test
    void responseEventsAreNumbered() throws Exception {
        var events = data(post(openAi, "/v1/responses", "{\"model\":\"gpt-5\",\"input\":\"Hi\",\"stream\":true}"), "\n\n");
        for (int i = 0; i < events.size(); i++) {
            assertThat(new JsonObject(events.get(i)).getInteger("sequence_number")).isEqualTo(i);
        }
        var end = new JsonObject(events.get(events.size() - 1));
        assertThat(end.getString("type")).isEqualTo("response.completed");
        assertThat(end.getJsonObject("response").getJsonObject("usage").getInteger("output_tokens")).isEqualTo(5);
    }

    @Test
    void anthropicReportsCumulativeUsage() throws Exception {
        anthropic.usage(new TokenUsage(1000, 300, 200, 50, 70));
        var events = data(post(anthropic, "/v1/messages?beta=true", MESSAGE), "\n\n").stream().map(JsonObject::new).toList();
        assertThat(events).extracting(event -> event.getString("type")).containsExactly("message_start",
                "content_block_start", "ping", "content_block_delta", "content_block_delta", "content_block_delta",
                "content_block_delta", "content_block_stop", "message_delta", "message_stop");
        assertThat(events.get(0).getJsonObject("message").getJsonObject("usage"))
                .isEqualTo(new JsonObject("{\"input_tokens\":500,\"cache_creation_input_tokens\":200,"
                        + "\"cache_read_input_tokens\":300,\"cache_creation\":{\"ephemeral_5m_input_tokens\":150,"
                        + "\"ephemeral_1h_input_tokens\":50},\"output_tokens\":1,\"service_tier\":\"standard\"}"));
        assertThat(events.get(8).getJsonObject("usage")).isEqualTo(new JsonObject(
                "{\"input_tokens\":500,\"cache_creation_input_tokens\":null,\"cache_read_input_tokens\":300,\"output_tokens\":70}"));
    }

    @Test
    void geminiReportsUsageInEveryChunk() throws Exception {
        gemini.reasoning(2);
        gemini.toolPromptTokens(3);
        var path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
        var events = data(post(gemini, path + "?alt=sse", "{}"), "\r\n\r\n");
        assertThat(events).hasSize(5).allMatch(event -> event.contains("usageMetadata"));
        var usage = new JsonObject(events.get(4)).getJsonObject("usageMetadata");
        assertThat(usage.getInteger("promptTokenCount")).isEqualTo(9);
        assertThat(usage.getInteger("toolUsePromptTokenCount")).isEqualTo(3);
        assertThat(usage.getInteger("candidatesTokenCount")).isEqualTo(3);
        assertThat(usage.getInteger("thoughtsTokenCount")).isEqualTo(2);
        assertThat(usage.getInteger("totalTokenCount")).isEqualTo(17);
        assertThat(new JsonArray(post(gemini, path, "{}"))).hasSize(5);
    }

    @Test
    void eachEventWaitsForTheGate() throws Exception {
        var gate = openAi.gate();
        var waiting = client.sendAsync(HttpRequest.newBuilder(URI.create(openAi.baseUrl() + "/v1/chat/completions"))
                .header("Authorization", "Bearer k").POST(HttpRequest.BodyPublishers.ofString(CHAT)).build(),
                HttpResponse.BodyHandlers.ofInputStream());
        await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() == 1);
        assertThat(waiting).isNotDone();
        gate.release(2);
        try (var body = waiting.get().body()) {
            var seen = new StringBuilder();
            while (seen.indexOf("Hello") < 0 || seen.lastIndexOf("\n\n") != seen.length() - 2) {
                seen.append((char) body.read());
            }
            assertThat(openAi.bytesSent()).isEqualTo(seen.length());
            await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() == 1);
            gate.open();
            assertThat(text(body.readAllBytes())).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void cutsInTheMiddleOfAnEvent() throws Exception {
        anthropic.cutNext(1, 4);
        try (var socket = new Socket("127.0.0.1", anthropic.port())) {
            socket.getOutputStream().write(("POST /v1/messages HTTP/1.1\r\nHost: stub\r\nx-api-key: k\r\n"
                    + "anthropic-version: 2023-06-01\r\nContent-Length: " + MESSAGE.length() + "\r\n\r\n" + MESSAGE)
                    .getBytes(StandardCharsets.UTF_8));
            var raw = text(socket.getInputStream().readAllBytes());
            assertThat(raw.split("event: ")).hasSize(6);
            assertThat(raw).doesNotEndWith("\n\r\n").doesNotContain("\r\n0\r\n");
        }
        anthropic.closeNext(1);
        assertThatThrownBy(() -> post(anthropic, "/v1/messages", MESSAGE)).isInstanceOf(IOException.class);
        await().atMost(60, TimeUnit.SECONDS).until(() -> anthropic.lostConnections() == 2);
        assertThat(post(anthropic, "/v1/messages", MESSAGE)).contains("message_stop");
        await().atMost(60, TimeUnit.SECONDS).until(() -> anthropic.completedResponses() == 1);
    }

    @Test
    void cutsAPlainResponse() {
        gemini.cutNext(1, 0);
        assertThatThrownBy(() -> post(gemini, "/v1beta/models/gemini-2.5-flash:generateContent", "{}"))
                .isInstanceOf(IOException.class);
    }

    @Test
    void sendsScriptedResponses() throws Exception {
        openAi.respondNext(2, 200, "<html>", "Content-Type", "text/html", "x-odd", "1");
        openAi.streamNext(1, "data: {\"odd\":1}\n\n");
        for (int i = 0; i < 2; i++) {
            var html = open(openAi, "/v1/chat/completions", CHAT);
            assertThat(html.headers().firstValue("content-type")).contains("text/html");
            assertThat(html.headers().firstValue("x-odd")).contains("1");
            assertThat(text(html.body().readAllBytes())).isEqualTo("<html>");
        }
        assertThat(post(openAi, "/v1/chat/completions", CHAT)).isEqualTo("data: {\"odd\":1}\n\n");
        assertThat(post(openAi, "/v1/chat/completions", CHAT)).contains("[DONE]");
        assertThat(openAi.requests()).hasSize(4).allMatch(seen -> seen.body().equals(CHAT));
    }

    @Test
    void compressedEventsAreFlushed() throws Exception {
        openAi.gzip();
        var gate = openAi.gate();
        gate.release(1);
        var response = open(openAi, "/v1/chat/completions", CHAT, "Accept-Encoding", "gzip");
        assertThat(response.headers().firstValue("content-encoding")).contains("gzip");
        try (var body = new GZIPInputStream(response.body())) {
            var seen = new StringBuilder();
            while (seen.indexOf("\n\n") < 0) {
                seen.append((char) body.read());
            }
            gate.open();
            assertThat(text(body.readAllBytes())).endsWith("data: [DONE]\n\n");
        }
        assertThat(post(openAi, "/v1/chat/completions", CHAT)).endsWith("data: [DONE]\n\n");
    }

    @Test
    void longStreamHonoursBackpressure() throws Exception {
        long bytes = 200L << 20;
        openAi.fillerChars(bytes);
        try (var body = open(openAi, "/v1/chat/completions", CHAT_WITH_USAGE).body()) {
            assertThat(openAi.completedResponses()).isZero(); // the body has not been read yet
            long read = 0;
            var buffer = new byte[64 << 10];
            for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
                read += n;
            }
            assertThat(read).isGreaterThan(bytes);
        }
        openAi.fillerChars(Long.MAX_VALUE);
        open(openAi, "/v1/chat/completions", CHAT_WITH_USAGE).body().close();
        await().atMost(60, TimeUnit.SECONDS).until(() -> openAi.lostConnections() == 1);
    }

    @Test
    void requiresKeyAndVersion() throws Exception {
        openAi.expectKey("another");
        anthropic.expectKey("another");
        gemini.expectKey("another");
        assertThat(post(openAi, "/v1/chat/completions", CHAT)).contains("invalid_api_key");
        assertThat(post(anthropic, "/v1/messages", MESSAGE)).contains("authentication_error");
        assertThat(post(gemini, "/v1beta/models/gemini-2.5-flash:generateContent", "{}")).contains("UNAUTHENTICATED");
        var unversioned = client.send(
                HttpRequest.newBuilder(URI.create(anthropic.baseUrl() + "/v1/models")).header("x-api-key", "another").build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(unversioned.body()).contains("anthropic-version");
        assertThat(post(openAi, "/v1/files", "{}", "X-Other", "1")).contains("invalid_api_key");
        openAi.reset();
        assertThat(open(openAi, "/v1/files", "{}").statusCode()).isEqualTo(404);
        assertThat(open(openAi, "/v1/chat/completions", "{").statusCode()).isEqualTo(400);
    }
}
