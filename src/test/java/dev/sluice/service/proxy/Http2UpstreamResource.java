package dev.sluice.service.proxy;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/** Upstream of HTTP/2 with prior knowledge, which behaves like a gRPC server. */
public class Http2UpstreamResource implements QuarkusTestResourceLifecycleManager {

    static final AtomicInteger OPEN_CONNECTIONS = new AtomicInteger();

    private final Vertx vertx = Vertx.vertx();

    @Override
    public Map<String, String> start() {
        OPEN_CONNECTIONS.set(0);
        var port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0)).connectionHandler(opened -> {
            OPEN_CONNECTIONS.incrementAndGet();
            opened.closeHandler(closed -> OPEN_CONNECTIONS.decrementAndGet());
        }).requestHandler(Http2UpstreamResource::respond).listen().toCompletionStage().toCompletableFuture().join()
                .actualPort();
        return Map.of("rate-limit.upstream.url", "http://127.0.0.1:" + port);
    }

    private static void respond(HttpServerRequest request) {
        var response = request.response();
        if (request.version() != HttpVersion.HTTP_2) {
            response.setStatusCode(505).end("not HTTP/2");
            return;
        }
        switch (request.path()) {
            case "/test.Echo/Unary" -> request.body().onSuccess(body -> response.putHeader("content-type", "application/grpc")
                    .putTrailer("grpc-status", "0").putTrailer("grpc-message", "fine").end(body));
            case "/test.Echo/Stream" -> {
                response.putHeader("content-type", "application/grpc+proto").putTrailer("grpc-status", "0").writeHead();
                request.handler(response::write);
                request.endHandler(end -> response.end());
            }
            case "/test.Echo/NotFound" -> request.endHandler(end -> response.putHeader("content-type", "application/grpc")
                    .putHeader("grpc-status", "5").putHeader("grpc-message", "no such thing").end());
            case "/test.Echo/Breaks" -> {
                response.putHeader("content-type", "application/grpc").write(Buffer.buffer("hello"))
                        .onSuccess(written -> request.handler(data -> response.reset(2)));
            }
            case "/test.Echo/Refuses" -> response.reset(7);
            case "/test.Echo/Hangs" -> request.handler(data -> {
                // no response
            });
            case "/trailers" -> {
                response.putHeader("trailer", "x-sum").putTrailer("x-sum", "1").write("ok"); // without Content-Length
                request.endHandler(end -> response.end());
            }
            case "/length" -> request.body().onSuccess(body -> response.putHeader("content-length", "2").end("ok"));
            default -> request.body().onSuccess(body -> response.end(describe(request) + body));
        }
    }

    private static String describe(HttpServerRequest request) {
        var text = new StringBuilder(request.method() + " " + request.uri() + "\n");
        request.headers().forEach(field -> text.append(field.getKey()).append(": ").append(field.getValue()).append('\n'));
        return text.append('\n').toString();
    }

    @Override
    public void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
