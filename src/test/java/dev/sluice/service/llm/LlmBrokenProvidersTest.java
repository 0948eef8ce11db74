package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.LlmStreamsProfile;
import dev.sluice.testing.llm.RawProvider;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Providers that are down, silent, respond early, or send malformed responses. */
@QuarkusTest
@TestProfile(LlmBrokenProvidersTest.Streams.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(RawProvider.class)
class LlmBrokenProvidersTest extends HttpTestBase {

    /** A profile of its own, because its test resources differ: see {@link LlmStreamingTest} for the others. */
    public static class Streams extends LlmStreamsProfile {
    }

    private static final String CHAT = "/openai/v1/chat/completions";
    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[]}";
    private static final String STREAM = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"stream\":true,\"messages\":[]}";
    private static final String CREDENTIALS = "Authorization: Bearer key-of-tokens";
    private static final String JSON = "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";

    private long tokens() {
        return admin.limits("user:tokens").await().indefinitely().getOrDefault("llm:openai:tokens", 0L);
    }

    private JsonObject ledger() {
        return new JsonObject(
                http.get("/v1/llm/usage?identifier=user:tokens", "Authorization", LlmProfile.ADMIN_AUTHORIZATION).body())
                .getJsonObject("providers").getJsonObject("openai", new JsonObject());
    }

    private static String withLength(String body) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void unreachableProviderIs502() throws IOException {
        try (var raw = new RawHttpConnection(port)) {
            for (int i = 0; i < 2; i++) {
                raw.send(RawHttpConnection.post("/gemini/v1beta/models/gemini-2.5-flash:generateContent", "{}",
                        "x-goog-api-key: key-of-tokens"));
                var response = raw.readResponse();
                assertThat(response.status()).isEqualTo(502);
                assertThat(new JsonObject(response.text()).getJsonObject("error").getString("status")).isEqualTo("UNAVAILABLE");
                // a body that has not been read
                raw.send(RawHttpConnection.post("/gemini/v1beta/models/gemini-2.5-flash:countTokens", "x".repeat(300_000),
                        "x-goog-api-key: key-of-tokens"));
                assertThat(raw.readResponse().status()).isEqualTo(502);
            }
        }
        assertThat(admin.limits("user:tokens").await().indefinitely().getOrDefault("llm:gemini:tokens", 0L)).isZero();
    }

    @Test
    void http2ClientsReceiveTheErrorOfAnUnreachableProvider() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (int i = 0; i < 2; i++) { // the first request is the upgrade
            var response = client.send(HttpRequest
                    .newBuilder(
                            URI.create("http://127.0.0.1:" + port + "/gemini/v1beta/models/gemini-2.5-flash:generateContent"))
                    .header("x-goog-api-key", "key-of-tokens").timeout(Duration.ofSeconds(60))
                    .POST(HttpRequest.BodyPublishers.ofString("{}")).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(502);
        }
    }

    @Test
    void closedConnectionIs502() throws IOException {
        RawProvider.next(socket -> socket.close());
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS));
        assertThat(response.status()).isEqualTo(502);
        assertThat(new JsonObject(response.text()).getJsonObject("error").getString("type")).isEqualTo("server_error");
        Polling.await().atMost(60, TimeUnit.SECONDS).until(() -> tokens() == 0);
    }

    @Test
    void silentProviderIs504() throws IOException {
        Estimates.load();
        var before = ledger();
        RawProvider.next(socket -> socket.getInputStream().transferTo(java.io.OutputStream.nullOutputStream()));
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS));
        assertThat(response.status()).isEqualTo(504);
        // The provider goes on with the call, and bills it.
        var after = ledger();
        assertThat(after.getLong("estimated_calls")).isEqualTo(before.getLong("estimated_calls", 0L) + 1);
        assertThat(after.getLong("input_tokens")).isEqualTo(before.getLong("input_tokens", 0L) + Estimates.chat(BODY));
        assertThat(after.getLong("output_tokens")).isEqualTo(before.getLong("output_tokens", 0L) + 50);
    }

    @Test
    void stalledStreamIsAborted() throws IOException {
        RawProvider.next(socket -> {
            RawProvider.readHead(socket.getInputStream());
            RawProvider.write(socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "6\r\ndata: \r\n");
            socket.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
        });
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, STREAM, CREDENTIALS));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.complete()).isFalse();
    }

    @Test
    void responseBeforeTheEndOfTheRequestIsForwarded() throws Exception {
        for (var more : new String[]{"", "Connection: close\r\n"}) {
            var release = new CompletableFuture<Void>();
            RawProvider.next(socket -> {
                RawProvider.readHead(socket.getInputStream());
                RawProvider.write(socket, "HTTP/1.1 413 Too Large\r\n" + more + "Content-Length: 5\r\n\r\nlarge");
                if (!more.isEmpty()) {
                    socket.shutdownOutput();
                }
                release.join();
            });
            try (var raw = new RawHttpConnection(port)) {
                raw.send("POST /openai/v1/files HTTP/1.1\r\nHost: x\r\n" + CREDENTIALS + "\r\nContent-Length: 3000000\r\n\r\n"
                        + "x".repeat(100_000));
                var response = raw.readResponse();
                assertThat(response.status()).isEqualTo(413);
                assertThat(response.text()).isEqualTo("large");
                raw.send("x".repeat(2_900_000));
                release.complete(null);
                RawProvider.respondNext(withLength(JSON));
                raw.send(RawHttpConnection.post(CHAT, BODY, CREDENTIALS));
                assertThat(raw.readResponse().text()).isEqualTo(JSON);
            }
        }
    }

    @Test
    void incompleteBodyIsNotCompletedToTheProvider() throws Exception {
        var started = new CompletableFuture<String>();
        var received = new CompletableFuture<String>();
        RawProvider.next(socket -> {
            started.complete(RawProvider.readHead(socket.getInputStream()));
            received.complete("\r\n" + new String(socket.getInputStream().readAllBytes()));
        });
        try (var raw = new RawHttpConnection(port)) {
            raw.send("POST /openai/v1/files HTTP/1.1\r\nHost: x\r\n" + CREDENTIALS
                    + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            assertThat(started.get(60, TimeUnit.SECONDS)).startsWith("POST /v1/files");
            Polling.await().atMost(60, TimeUnit.SECONDS)
                    .until(() -> admin.limits("user:tokens").await().indefinitely().isEmpty());
            raw.reset();
        }
        assertThat(received.get(60, TimeUnit.SECONDS)).doesNotContain("\r\n0\r\n");
    }

    @Test
    void truncatedCharacterIsForwardedAndTheStreamAborted() throws IOException {
        for (var stream : new String[]{STREAM, STREAM.replace("\"stream\":true",
                "\"stream\":true,\"stream_options\":{\"include_usage\":true}")}) {
            var event = "data: {\"choices\":[{\"delta\":{\"content\":\"caf\u00c3";
            RawProvider.respondNext("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + Integer.toHexString(event.length()) + "\r\n" + event + "\r\n");
            var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, stream, CREDENTIALS));
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.complete()).isFalse();
        }
        assertThat(ledger().getLong("estimated_calls")).isGreaterThanOrEqualTo(2);
    }

    @Test
    void responseShorterThanItsLengthIsAborted() throws IOException {
        RawProvider.respondNext("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"usage\":");
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.complete()).isFalse();
    }

    @Test
    void http10ResponsesAreForwarded() throws IOException {
        RawProvider.respondNext("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + JSON);
        assertThat(RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS)).text()).isEqualTo(JSON);
        RawProvider.respondNext("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + JSON);
        assertThat(RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS)).text()).isEqualTo(JSON);
    }

    @Test
    void http10ClientsAreServed() throws IOException {
        RawProvider.respondNext("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(JSON.length()) + "\r\n" + JSON + "\r\n0\r\n\r\n");
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post(CHAT, BODY, CREDENTIALS).replace("HTTP/1.1", "HTTP/1.0"));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.header("transfer-encoding")).isNull();
        assertThat(response.text()).isEqualTo(JSON);
    }

    @Test
    void interimResponsesAreNotFinal() throws IOException {
        for (var interim : new String[]{"100 Continue", "102 Processing", "103 Early Hints"}) {
            RawProvider.respondNext("HTTP/1.1 " + interim + "\r\n\r\n" + withLength(JSON));
            assertThat(RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS)).text()).as(interim)
                    .isEqualTo(JSON);
        }
    }

    @Test
    void responsesOtherThanHttpAre502() throws IOException {
        RawProvider.respondNext("SSH-2.0-OpenSSH_9.0\r\n");
        assertThat(RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS)).status()).isEqualTo(502);
        RawProvider.respondNext("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n");
        assertThat(RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS)).status()).isEqualTo(502);
    }

    @Test
    void unrequestedEncodingIsForwardedAndEstimated() throws IOException {
        var before = ledger().getLong("estimated_calls", 0L);
        RawProvider.respondNext(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n"
                        + "\u0001\u0002\u00ff");
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, BODY, CREDENTIALS));
        assertThat(response.header("content-encoding")).isEqualTo("br");
        assertThat(response.body()).containsExactly(1, 2, 255);
        assertThat(ledger().getLong("estimated_calls")).isEqualTo(before + 1);
    }
}
