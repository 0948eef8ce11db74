package dev.sluice.testing;

import java.util.List;
import java.util.Map;
import java.util.Random;

import io.netty.buffer.Unpooled;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * API and LLM providers in one server, which send malformed responses as the header {@code X-Fuzz} requests. No response
 * contains the marker or an error message.
 */
public class FuzzedUpstream implements QuarkusTestResourceLifecycleManager {

    private static final List<String> RESPONSES = List.of(respond("text/plain", "fine"),
            respond("application/json", "{\"model\":\"gpt-4o\",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}"),
            respond("application/json", "[{\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":7}}]"),
            respond("text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":null}\n\n"
                    + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}\n\ndata: [DONE]\n\n"),
            respond("text/event-stream", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":"
                    + "{\"input_tokens\":9,\"output_tokens\":1}}}\n\ndata: {\"type\":\"message_stop\"}\n\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-RateLimit-Limit: 1\r\n\r\n"
                    + "10\r\ndata: {\"usage\":{\r\n3\r\n}}\n\r\n0\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}");

    private final Vertx vertx = Vertx.vertx();

    private static String respond(String type, String body) {
        return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Override
    public Map<String, String> start() {
        var address = "http://127.0.0.1:" + vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .requestHandler(FuzzedUpstream::respond).listen().toCompletionStage().toCompletableFuture().join().actualPort();
        return Map.of("rate-limit.upstream.url", address, "rate-limit.llm.openai.base-url", address,
                "rate-limit.llm.anthropic.base-url", address, "rate-limit.llm.gemini.base-url", address);
    }

    private static void respond(HttpServerRequest request) {
        var seed = request.getHeader("X-Fuzz");
        var random = new Random(seed == null ? 0 : seed.hashCode());
        var response = Fuzzer.mutate(random, Fuzzer.pick(random, RESPONSES)).replace(Fuzzer.MARKER, "x");
        request.endHandler(end -> ((ConnectionBase) request.connection()).channel().pipeline().firstContext()
                .writeAndFlush(Unpooled.wrappedBuffer(Fuzzer.bytes(response)))
                .addListener(sent -> request.connection().close()));
    }

    @Override
    public void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
