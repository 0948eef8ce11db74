package dev.sluice.testing;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * Upstream API that echoes requests, with special behaviour on some paths: {@code /status/503}, {@code /silent}, {@code
 * /hangup}, {@code /later}, {@code /answers/401?cost=5}, {@code /trickle}, {@code /count}, {@code /download}, {@code /ws}, {@code /no-ws}.
 */
public class EchoUpstream implements QuarkusTestResourceLifecycleManager {

    public static final int DOWNLOAD_BYTES = 20 << 20;
    /** Responses of {@code /trickle} that have not been ended, by query of the request. */
    public static final Map<String, HttpServerResponse> TRICKLING = new ConcurrentHashMap<>();
    /** Responses of {@code /later} that have not begun. */
    public static final Queue<HttpServerResponse> LATER = new ConcurrentLinkedQueue<>();

    private final Vertx vertx = Vertx.vertx();
    private int port;

    @Override
    public Map<String, String> start() {
        listen(FreePorts.next()); // may be restarted
        return Map.of("rate-limit.upstream.url", "http://127.0.0.1:" + port + "/base", "rate-limit.upstream.timeout", "2s");
    }

    /** Starts the server; returns its port. */
    public int listen(int requestedPort) {
        port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(requestedPort))
                .requestHandler(EchoUpstream::respond).listen().toCompletionStage().toCompletableFuture().join().actualPort();
        return port;
    }

    private static void respond(HttpServerRequest request) {
        var path = request.path().replaceFirst("^/base(/open(?=/))?", "");
        var response = request.response().putHeader("X-RateLimit-Limit", "upstream").putHeader("X-Upstream", "yes")
                .putHeader("RateLimit", "upstream");
        if (path.startsWith("/status/")) {
            response.setStatusCode(Integer.parseInt(path.substring("/status/".length()))).setStatusMessage("As Asked")
                    .putHeader("Retry-After", "7").end("body of " + path);
        } else if (path.matches("/(answers|billed|capped)/.*")) {
            var query = new QueryStringDecoder(request.uri()).parameters();
            var field = query.getOrDefault("field", List.of("X-Cost")).get(0);
            query.getOrDefault("cost", List.of()).forEach(cost -> response.headers().add(field, cost));
            query.getOrDefault("connection", List.of()).forEach(options -> response.putHeader("Connection", options));
            response.setStatusCode(Integer.parseInt(path.substring(path.lastIndexOf('/') + 1))).end("answer");
        } else if (path.equals("/later")) {
            LATER.add(response);
        } else if (path.equals("/silent")) {
            request.handler(chunk -> {
            });
        } else if (path.equals("/hangup")) {
            request.connection().close();
        } else if (path.equals("/interim")) {
            var raw = Unpooled.copiedBuffer("HTTP/1.1 102 Processing\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nthe answer",
                    StandardCharsets.US_ASCII);
            ((ConnectionBase) request.connection()).channel().pipeline().firstContext().writeAndFlush(raw);
        } else if (path.equals("/trickle") || path.equals("/trickle/all")) {
            response.setChunked(true).write("first\n");
            TRICKLING.put(request.query(), response);
        } else if (path.equals("/count")) {
            var bytes = new long[1];
            request.handler(chunk -> bytes[0] += chunk.length());
            request.endHandler(end -> response.end(Long.toString(bytes[0])));
        } else if (path.equals("/download")) {
            response.putHeader("Content-Length", Integer.toString(DOWNLOAD_BYTES));
            download(response, DOWNLOAD_BYTES);
        } else if (path.equals("/ws")) {
            request.toWebSocket().onSuccess(socket -> socket.textMessageHandler(text -> {
                if (text.equals("download")) {
                    socket.writeBinaryMessage(Buffer.buffer(new byte[DOWNLOAD_BYTES]));
                } else {
                    socket.writeTextMessage(text.equals("who") ? describe(request, "").encode() : "echo " + text);
                }
            }));
        } else if (path.equals("/no-ws")) {
            response.setStatusCode(403).end("no websockets here");
        } else {
            request.body().onSuccess(body -> response.putHeader("Content-Type", "application/json")
                    .end(describe(request, body.toString()).encode()));
        }
    }

    private static JsonObject describe(HttpServerRequest request, String body) {
        var headers = new HashMap<String, Object>();
        request.headers().names()
                .forEach(name -> headers.put(name.toLowerCase(), new JsonArray(request.headers().getAll(name))));
        return new JsonObject().put("method", request.method().name()).put("uri", request.uri()).put("body", body)
                .put("headers", new JsonObject(headers));
    }

    /** Returns the values of a request header as echoed in a response, separated by {@code |}; null if it is missing. */
    public static String receivedHeader(HttpResponse<String> response, String header) {
        var values = HttpTestClient.json(response).getJsonObject("headers").getJsonArray(header);
        return values == null ? null : String.join("|", values.stream().map(Object::toString).toList());
    }

    private static void download(HttpServerResponse response, int remaining) {
        while (remaining > 0) {
            int size = Math.min(remaining, 64 << 10);
            response.write(Buffer.buffer(new byte[size]));
            remaining -= size;
            if (response.writeQueueFull() && remaining > 0) {
                int remainder = remaining;
                response.drainHandler(drained -> download(response, remainder));
                return;
            }
        }
        response.end();
    }

    @Override
    public void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
