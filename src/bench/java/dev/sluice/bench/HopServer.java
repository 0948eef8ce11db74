package dev.sluice.bench;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;

/**
 * Baseline of both gateways: a reverse proxy on Vert.x alone, with one HTTP client per event loop, so that a request and its
 * upstream connection share one. Copies the header fields, streams both bodies, and does nothing else that a proxy has to do.
 */
final class HopServer implements Handler<HttpServerRequest> {

    private static final int MAX_CONNECTIONS = 4096;

    private final HttpClient client;
    private final int upstreamPort;

    private HopServer(Vertx vertx, int upstreamPort) {
        this.client = vertx.httpClientBuilder().with(new PoolOptions().setHttp1MaxSize(MAX_CONNECTIONS)).build();
        this.upstreamPort = upstreamPort;
    }

    static ServerProcess start(int upstreamPort) {
        return ServerProcess.java(HopServer.class, Integer.toString(upstreamPort));
    }

    public static void main(String[] arguments) {
        int upstreamPort = Integer.parseInt(arguments[1]);
        BareServer.listen(Integer.parseInt(arguments[0]), vertx -> new HopServer(vertx, upstreamPort));
    }

    @Override
    public void handle(HttpServerRequest request) {
        request.pause();
        client.request(new RequestOptions().setMethod(request.method()).setHost("127.0.0.1").setPort(upstreamPort)
                .setURI(request.uri())).onSuccess(upstream -> send(request, upstream)).onFailure(failure -> fail(request));
    }

    private static void send(HttpServerRequest request, HttpClientRequest upstream) {
        upstream.headers().setAll(request.headers());
        upstream.setChunked(request.headers().contains(HttpHeaders.TRANSFER_ENCODING));
        upstream.response().onSuccess(response -> relay(request, response)).onFailure(failure -> fail(request));
        request.response().closeHandler(closed -> upstream.reset());
        request.pipeTo(upstream);
    }

    private static void relay(HttpServerRequest request, HttpClientResponse upstream) {
        var response = request.response().setStatusCode(upstream.statusCode());
        response.headers().setAll(upstream.headers());
        response.setChunked(!upstream.headers().contains(HttpHeaders.CONTENT_LENGTH));
        upstream.pipeTo(response);
    }

    private static void fail(HttpServerRequest request) {
        if (!request.response().ended()) {
            request.response().setStatusCode(502).end();
        }
    }
}
