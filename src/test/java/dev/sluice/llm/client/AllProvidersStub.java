package dev.sluice.llm.client;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Stub of all three providers at one address. The request's field {@code stub} selects the behaviour: respond with that
 * status, {@code hangup}, {@code silent} (no usage), {@code never} (no response), {@code hold} (a stream that stalls),
 * {@code break} (a stream that is cut), {@code many} (a long stream).
 */
public class AllProvidersStub implements QuarkusTestResourceLifecycleManager {

    static final String KEY = "key-of-the-provider";
    /** Secrets of the provider {@code slow}. */
    static final String GATEWAY_TOKEN = "token-of-the-gateway";
    static final String SIGNATURE = "signature-of-the-query";
    /** Events of a long stream, of 10 KB each: several times the size of the socket buffers. */
    static final int LONG_STREAM_EVENTS = 3_000;

    record ReceivedRequest(String method, String uri, Map<String, String> headers, JsonObject body) {
    }

    static final List<ReceivedRequest> REQUESTS = new CopyOnWriteArrayList<>();
    /** Completes when the connection of a stalled stream has been closed. */
    static volatile CompletableFuture<Void> connectionClosed = new CompletableFuture<>();
    /** Completes when a long stream cannot be written on, because it is not read. */
    static volatile CompletableFuture<Void> writeQueueFull = new CompletableFuture<>();
    /** Number of events of a long stream that have been written. */
    static volatile int eventsWritten;

    private final Vertx vertx = Vertx.vertx();

    static void clear() {
        REQUESTS.clear();
        connectionClosed = new CompletableFuture<>();
        writeQueueFull = new CompletableFuture<>();
        eventsWritten = 0;
    }

    @Override
    public Map<String, String> start() {
        var port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .requestHandler(AllProvidersStub::respond).listen().toCompletionStage().toCompletableFuture().join()
                .actualPort();
        var url = "http://127.0.0.1:" + port;
        var settings = new HashMap<String, String>();
        settings.put("quarkus.rest-client.stub.url", url + "/prefix");
        settings.put("rate-limit.llm.openai.base-url", url + "/v1/");
        settings.put("rate-limit.llm.anthropic.base-url", url);
        settings.put("rate-limit.llm.gemini.base-url", url + "/v1beta");
        for (var provider : List.of("openai", "anthropic", "gemini")) {
            settings.put("rate-limit.llm." + provider + ".api-key", KEY);
        }
        settings.put("rate-limit.llm.slow.type", "openai");
        settings.put("rate-limit.llm.slow.base-url", url + "/v1");
        settings.put("rate-limit.llm.slow.prices", "openai");
        settings.put("rate-limit.llm.slow.timeout", "100ms");
        settings.put("rate-limit.llm.slow.headers.X-Gateway-Token", GATEWAY_TOKEN);
        settings.put("rate-limit.llm.slow.headers.X-Title", "as configured");
        settings.put("rate-limit.llm.slow.query.signature", SIGNATURE);
        settings.put("quarkus.rest-client.slow.url", url + "/prefix");
        settings.put("quarkus.rest-client.slow.read-timeout", "100");
        return settings;
    }

    private static void respond(HttpServerRequest request) {
        request.body().onSuccess(bytes -> {
            var body = bytes.length() == 0 ? new JsonObject() : new JsonObject(bytes);
            var headers = new HashMap<String, String>();
            request.headers().forEach(header -> headers.put(header.getKey().toLowerCase(), header.getValue()));
            REQUESTS.add(new ReceivedRequest(request.method().name(), request.uri(), headers, body));
            respond(request, body);
        });
    }

    private static void respond(HttpServerRequest request, JsonObject body) {
        var response = request.response();
        var stub = body.getString("stub", "");
        if (stub.matches("[0-9]+")) {
            sendJson(response.setStatusCode(Integer.parseInt(stub)), new JsonObject().put("error",
                    new JsonObject().put("message",
                            "as configured, with " + KEY + ", " + GATEWAY_TOKEN + " and " + SIGNATURE)));
        } else if (stub.equals("hangup")) {
            request.connection().close();
        } else if (stub.equals("never")) {
            request.connection().closeHandler(closed -> connectionClosed.complete(null));
        } else if (stub.equals("silent")) {
            sendJson(response, new JsonObject().put("choices", new JsonArray()));
        } else if (request.uri().endsWith("/models")) {
            sendJson(response, new JsonObject().put("data", new JsonArray()));
        } else if (request.uri().contains("/v1/messages")) {
            anthropic(response, body);
        } else if (request.uri().contains("/v1beta/")) {
            gemini(request, response);
        } else if (body.getBoolean("stream", false)) {
            openAiStream(request, response, body);
        } else {
            sendJson(response, new JsonObject().put("model", "gpt-4o")
                    .put("choices", new JsonArray().add(new JsonObject().put("message", new JsonObject().put("content", "hi"))))
                    .put("usage", new JsonObject().put("prompt_tokens", 100).put("completion_tokens", 20)
                            .put("total_tokens", 120)));
        }
    }

    private static void sendJson(HttpServerResponse response, JsonObject body) {
        response.putHeader("Content-Type", "application/json").end(body.encode());
    }

    private static void openAiStream(HttpServerRequest request, HttpServerResponse response, JsonObject body) {
        boolean usage = body.getJsonObject("stream_options", new JsonObject()).getBoolean("include_usage", false);
        response.putHeader("Content-Type", "text/event-stream").setChunked(true);
        var stub = body.getString("stub", "");
        if (stub.equals("many")) {
            writeLongStream(response, 0);
            return;
        }
        for (int i = 0; i < 3; i++) {
            writeEvent(response, chunk("w" + i, usage));
        }
        if (stub.equals("hold")) {
            request.connection().closeHandler(closed -> connectionClosed.complete(null));
            return;
        }
        if (stub.equals("break")) {
            request.connection().close();
            return;
        }
        if (usage) {
            writeEvent(response, new JsonObject().put("choices", new JsonArray()).put("usage",
                    new JsonObject().put("prompt_tokens", 200).put("completion_tokens", 3).put("total_tokens", 203)));
        }
        response.end("data: [DONE]\n\n");
    }

    private static JsonObject chunk(String text, boolean usage) {
        var chunk = new JsonObject().put("choices",
                new JsonArray().add(new JsonObject().put("delta", new JsonObject().put("content", text))));
        return usage ? chunk.putNull("usage") : chunk;
    }

    private static void writeLongStream(HttpServerResponse response, int from) {
        var padding = "x".repeat(10_000);
        for (int i = from; i < LONG_STREAM_EVENTS; i++) {
            writeEvent(response, chunk(padding, false).put("i", i));
            eventsWritten = i + 1;
            if (response.writeQueueFull()) {
                int next = i + 1;
                response.drainHandler(drained -> writeLongStream(response, next));
                writeQueueFull.complete(null);
                return;
            }
        }
        response.end("data: [DONE]\n\n");
    }

    private static void anthropic(HttpServerResponse response, JsonObject body) {
        if (!body.getBoolean("stream", false)) {
            sendJson(response, new JsonObject().put("type", "message").put("usage",
                    new JsonObject().put("input_tokens", 30).put("output_tokens", 10)));
            return;
        }
        response.putHeader("Content-Type", "text/event-stream").setChunked(true);
        writeEvent(response, new JsonObject().put("type", "message_start").put("message",
                new JsonObject().put("model", "claude-sonnet-4-5").put("usage",
                        new JsonObject().put("input_tokens", 30).put("output_tokens", 1))));
        writeEvent(response, new JsonObject().put("type", "content_block_delta").put("index", 0).put("delta",
                new JsonObject().put("type", "text_delta").put("text", "hi")));
        writeEvent(response,
                new JsonObject().put("type", "message_delta").put("usage", new JsonObject().put("output_tokens", 12)));
        writeEvent(response, new JsonObject().put("type", "message_stop"));
        response.end();
    }

    private static void gemini(HttpServerRequest request, HttpServerResponse response) {
        var usage = new JsonObject().put("promptTokenCount", 8).put("candidatesTokenCount", 4).put("totalTokenCount", 12);
        var body = new JsonObject().put("candidates", new JsonArray().add(new JsonObject().put("finishReason", "STOP")))
                .put("usageMetadata", usage);
        if (request.uri().contains(":streamGenerateContent")) {
            response.putHeader("Content-Type", "text/event-stream").setChunked(true);
            writeEvent(response, body);
            writeEvent(response, body);
            response.end();
        } else {
            sendJson(response, body);
        }
    }

    private static void writeEvent(HttpServerResponse response, JsonObject data) {
        response.write("data: " + data.encode() + "\n\n");
    }

    @Override
    public void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
