package dev.sluice.bench;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;

/** An upstream on one event loop, beside the load generator. The leaner it is, the harder is the comparison with it. */
final class UpstreamStub implements AutoCloseable {

    /** A chat completion of OpenAI's, not streamed. */
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

    /** A provider that costs as little as it can. */
    static UpstreamStub leanModel() {
        return lean("application/json", COMPLETION);
    }

    /** Sends the same response every time. */
    static UpstreamStub lean(String type, String body) {
        var bytes = Buffer.buffer(body);
        return new UpstreamStub(request -> request.endHandler(
                end -> request.response().putHeader(HttpHeaders.CONTENT_TYPE, type).end(bytes.copy())));
    }

    /** Reads the call's JSON and writes the completion's, as the stub of the tests and any provider does. */
    static UpstreamStub model() {
        var completion = new JsonObject(COMPLETION);
        return new UpstreamStub(request -> request.bodyHandler(body -> {
            var answer = completion.copy().put("model", body.toJsonObject().getString("model"));
            request.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json").end(answer.toBuffer());
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
