package dev.sluice.bench;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;

/** Upstream on one event loop, in the process of the load generator. The leaner it is, the stricter is the comparison with it. */
final class UpstreamStub implements AutoCloseable {

    /** Chat completion of OpenAI, not streamed. */
    private static final String COMPLETION = "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion\","
            + "\"created\":1795000000,\"model\":\"gpt-4o-2024-11-20\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
            + "\"content\":\"" + "A sluice is a gate that lets through as much water as the channel below can take. ".repeat(6)
            + "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,"
            + "\"completion_tokens\":120,\"total_tokens\":139,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
            + "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},\"service_tier\":\"default\"}";

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final int port;

    private UpstreamStub(Handler<HttpServerRequest> handler) {
        port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0)).requestHandler(handler).listen()
                .toCompletionStage().toCompletableFuture().join().actualPort();
    }

    /** Starts a provider with minimal CPU cost. */
    static UpstreamStub fixedCompletion() {
        return fixedResponse("application/json", COMPLETION);
    }

    /** Starts a server that always sends the same response. */
    static UpstreamStub fixedResponse(String type, String body) {
        var bytes = Buffer.buffer(body);
        return new UpstreamStub(request -> request.endHandler(
                end -> request.response().putHeader(HttpHeaders.CONTENT_TYPE, type).end(bytes.copy())));
    }

    /** Parses the JSON of a call and serializes a completion, as the test stub and any provider do. */
    static UpstreamStub jsonCompletion() {
        var completion = new JsonObject(COMPLETION);
        return new UpstreamStub(request -> request.bodyHandler(body -> {
            var completionBody = completion.copy().put("model", body.toJsonObject().getString("model"));
            request.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json").end(completionBody.toBuffer());
        }));
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
