package dev.sluice.service;

import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import dev.sluice.identity.Sha256;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.llm.OpenAiStub;

/** Graceful shutdown of the packaged program: requests in flight are completed. */
@Execution(ExecutionMode.CONCURRENT)
class ShutdownIT {

    private static final String BODY = "{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @Test
    void decisionsUpToTheEndAreInTheTraffic() throws IOException {
        try (var redis = RedisTestServer.start()) {
            var environment = Map.of("REDIS_PORT", Integer.toString(redis.port()), "RATE_LIMIT_ADMIN_TOKEN", "admin");
            try (var other = Instance.start(environment)) {
                try (var leaving = Instance.start(environment)) {
                    var http = new HttpTestClient(leaving.port());
                    for (int i = 0; i < 200; i++) {
                        assertThat(http.post("/v1/check", "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"1000/hour\"}")
                                .statusCode()).isEqualTo(200);
                    }
                }
                var http = new HttpTestClient(other.port());
                await().untilAsserted(() -> assertThat(
                        HttpTestClient.json(http.get("/v1/traffic", "Authorization", "Bearer admin")).getJsonArray("rules")
                                .encode())
                        .contains("\"allowed\":200"));
            }
        }
    }

    @Test
    void requestsInFlightAreCompletedAndRecorded() throws IOException {
        var upstream = new EchoUpstream();
        int api = upstream.listen(0);
        try (var redis = RedisTestServer.start(); var openAi = new OpenAiStub()) {
            openAi.usage(TokenUsage.of(100, 20));
            var gate = openAi.gate();
            var environment = new HashMap<>(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                    "UPSTREAM_URL", "http://127.0.0.1:" + api, "RATE_LIMIT_ADMIN_TOKEN", "admin"));
            environment.putAll(Map.of("RATE_LIMIT_LLM_OPENAI_BASE_URL", openAi.baseUrl(), "RATE_LIMIT_LLM_OPENAI_API_KEY", "k",
                    "RATE_LIMIT_API_KEYS_A_SHA256", Sha256.hex("alice-key"), "RATE_LIMIT_API_KEYS_A_USER", "alice"));
            var sluice = Instance.start(environment);
            try (var stream = new RawHttpConnection(sluice.port());
                    var trickle = new RawHttpConnection(sluice.port());
                    var idle = new RawHttpConnection(sluice.port())) {
                idle.send("GET /q/openapi HTTP/1.1\r\nHost: x\r\n\r\n");
                assertThat(idle.readResponse().status()).isEqualTo(200);
                try (var leaves = new RawHttpConnection(sluice.port())) { // does not delay shutdown
                    leaves.send("GET /download HTTP/1.1\r\nHost: x\r\n\r\n");
                    assertThat(leaves.readLine()).contains("200");
                }
                stream.send(chat(true));
                trickle.send("GET /trickle?shutdown HTTP/1.1\r\nHost: x\r\n\r\n");
                await().until(() -> gate.waiting() == 1 && EchoUpstream.TRICKLING.containsKey("shutdown"));
                var stopped = CompletableFuture.runAsync(sluice::close);
                await().untilAsserted(() -> assertThat(sluice.log()).contains("Waiting for HTTP requests to complete"));
                assertThat(stopped).isNotDone();
                gate.open();
                EchoUpstream.TRICKLING.remove("shutdown").end("last");
                var response = stream.readResponse();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.complete()).isTrue();
                assertThat(response.text()).contains("[DONE]");
                assertThat(trickle.readResponse().text()).contains("first").contains("last");
                stopped.join();
                assertThat(sluice.log()).contains("stopped in").doesNotContain("ERROR");
            }
            try (var next = Instance.start(environment)) {
                var account = new HttpTestClient(next.port()).get("/v1/llm/usage?identifier=user:alice", "Authorization",
                        "Bearer admin");
                assertThat(
                        HttpTestClient.json(account).getJsonObject("providers").getJsonObject("openai").getString("cost_usd"))
                        .isEqualTo("0.00045");
            }
        } finally {
            upstream.stop();
        }
    }

    /** A call that is still in flight when the shutdown times out is billed by its estimate, whether or not its client waits for it. */
    @Test
    void callsThatOutlastTheShutdownAreRecorded() throws IOException {
        try (var redis = RedisTestServer.start(); var openAi = new OpenAiStub()) {
            var gate = openAi.gate();
            var environment = new HashMap<>(Map.of("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                    "RATE_LIMIT_ADMIN_TOKEN", "admin", "QUARKUS_SHUTDOWN_TIMEOUT", "1s"));
            environment.putAll(Map.of("RATE_LIMIT_LLM_OPENAI_BASE_URL", openAi.baseUrl(), "RATE_LIMIT_LLM_OPENAI_API_KEY", "k",
                    "RATE_LIMIT_API_KEYS_A_SHA256", Sha256.hex("alice-key"), "RATE_LIMIT_API_KEYS_A_USER", "alice"));
            var sluice = Instance.start(environment);
            try (var stream = new RawHttpConnection(sluice.port()); var plain = new RawHttpConnection(sluice.port())) {
                stream.send(chat(true));
                gate.release(2);
                assertThat(stream.readLine()).contains("200");
                await().until(() -> gate.waiting() == 1);
                try (var leaves = new RawHttpConnection(sluice.port())) {
                    leaves.send(chat(true));
                    await().until(() -> gate.waiting() == 2);
                }
                plain.send(chat(false));
                await().until(() -> gate.waiting() == 3);
                sluice.close();
                assertThat(sluice.log()).contains("upstream=openai requests=3", "stopped in").doesNotContain("\tat ",
                        "Reservations remain");
            }
            try (var next = Instance.start(environment)) {
                var account = new HttpTestClient(next.port()).get("/v1/llm/usage?identifier=user:alice", "Authorization",
                        "Bearer admin");
                var openAiUsage = HttpTestClient.json(account).getJsonObject("providers").getJsonObject("openai");
                assertThat(openAiUsage.getInteger("calls")).isEqualTo(3);
                assertThat(openAiUsage.getInteger("estimated_calls")).isEqualTo(3);
            }
        }
    }

    private static String chat(boolean streaming) {
        return RawHttpConnection.post("/openai/v1/chat/completions", streaming ? BODY : BODY.replace("true", "false"),
                "Authorization: Bearer alice-key");
    }

    /** An open WebSocket is closed with 1001 and does not delay the shutdown; one that has been closed does not count. */
    @Test
    void webSocketsAreClosedAndDoNotDelayShutdown() throws Exception {
        var upstream = new EchoUpstream();
        int api = upstream.listen(0);
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "UPSTREAM_URL", "http://127.0.0.1:" + api,
                "QUARKUS_SHUTDOWN_TIMEOUT", "10m"))) {
            var closed = new CompletableFuture<Integer>();
            var before = openWebSocket(sluice.port(), new CompletableFuture<>());
            before.sendClose(WebSocket.NORMAL_CLOSURE, "").get(30, TimeUnit.SECONDS);
            var open = openWebSocket(sluice.port(), closed);
            open.sendText("still here", true).get(30, TimeUnit.SECONDS);
            var stopped = CompletableFuture.runAsync(sluice::close);
            assertThat(closed.get(60, TimeUnit.SECONDS)).isEqualTo(1001);
            stopped.get(60, TimeUnit.SECONDS);
            assertThat(sluice.log()).contains("stopped in").doesNotContain("ERROR");
        } finally {
            upstream.stop();
        }
    }

    /** An open console does not delay the shutdown; its stream ends as a whole. */
    @Test
    void eventStreamsEndAtShutdown() throws Exception {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_ADMIN_TOKEN", "admin",
                "QUARKUS_SHUTDOWN_TIMEOUT", "10m")); var console = new RawHttpConnection(sluice.port())) {
            console.send("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n");
            assertThat(console.readLine()).contains("200");
            CompletableFuture.runAsync(sluice::close).get(60, TimeUnit.SECONDS);
            var line = console.readLine();
            while (line != null && !line.equals("0")) { // the last chunk
                line = console.readLine();
            }
            assertThat(line).isEqualTo("0");
            assertThat(sluice.log()).contains("stopped in").doesNotContain("ERROR");
        }
    }

    private static WebSocket openWebSocket(int port, CompletableFuture<Integer> closed) throws Exception {
        return HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create("ws://127.0.0.1:" + port + "/ws"),
                new WebSocket.Listener() {

                    @Override
                    public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
                        closed.complete(status);
                        return null;
                    }
                }).get(30, TimeUnit.SECONDS);
    }

    /** A load balancer can remove the instance before its connections are refused. */
    @Test
    void servesRequestsDuringShutdownDelayButIsNotReady() {
        try (var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "QUARKUS_SHUTDOWN_DELAY", "60s"))) {
            sluice.terminate();
            var management = new HttpTestClient(sluice.managementPort());
            await().untilAsserted(() -> assertThat(management.get("/q/health/ready").statusCode()).isEqualTo(503));
            assertThat(management.get("/q/health/live").statusCode()).isEqualTo(200);
            assertThat(new HttpTestClient(sluice.port()).get("/q/openapi").statusCode()).isEqualTo(200);
            sluice.kill();
        }
    }
}
