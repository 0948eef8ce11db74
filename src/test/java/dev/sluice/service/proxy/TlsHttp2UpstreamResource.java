package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

import dev.sluice.testing.FreePorts;
import dev.sluice.testing.TestCertificates;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;

/** Upstream with TLS, which offers HTTP/2 by ALPN, or HTTP/1.1 only. */
public class TlsHttp2UpstreamResource implements QuarkusTestResourceLifecycleManager {

    static volatile TlsHttp2UpstreamResource running;

    private final Vertx vertx = Vertx.vertx();
    private TestCertificates certificates;
    private HttpServer server;
    private final int port = FreePorts.next();

    @Override
    public Map<String, String> start() {
        certificates = new TestCertificates().issue(TlsUpstreamResource.SERVER, "dns:localhost")
                .issue(TlsUpstreamResource.CLIENT, "dns:sluice");
        listen(options(true));
        running = this;
        var settings = new HashMap<>(TlsUpstreamResource.clientSettings(certificates));
        settings.put("rate-limit.upstream.url", "https://localhost:" + port);
        return settings;
    }

    /** Closes all connections, and offers HTTP/2 or not from now on. */
    void offer(boolean http2) {
        restart(options(http2));
    }

    /** Closes all connections, and requires a client certificate of another authority from now on. */
    void rejectClients() {
        restart(options(true).setClientAuth(ClientAuth.REQUIRED).setTrustOptions(
                new PemTrustOptions().addCertPath(certificates.certificate(TlsUpstreamResource.SERVER).toString())));
    }

    private void restart(HttpServerOptions options) {
        server.close().toCompletionStage().toCompletableFuture().join();
        listen(options);
    }

    private HttpServerOptions options(boolean http2) {
        return new HttpServerOptions().setHost("127.0.0.1").setPort(port).setSsl(true).setSni(true).setUseAlpn(http2)
                .setKeyCertOptions(new PemKeyCertOptions()
                        .setCertPath(certificates.certificate(TlsUpstreamResource.SERVER).toString())
                        .setKeyPath(certificates.key(TlsUpstreamResource.SERVER).toString()));
    }

    private void listen(HttpServerOptions options) {
        server = vertx.createHttpServer(options).requestHandler(TlsHttp2UpstreamResource::respond).listen().toCompletionStage()
                .toCompletableFuture().join();
    }

    private static void respond(HttpServerRequest request) {
        if (request.path().equals("/ws")) {
            request.toWebSocket().onSuccess(socket -> socket.textMessageHandler(socket::writeTextMessage));
            return;
        }
        var response = request.response().setChunked(true).putHeader("x-version", request.version().alpnName())
                .putHeader("x-scheme", String.valueOf(request.scheme()))
                .putHeader("x-server-name", String.valueOf(request.connection().indicatedServerName()));
        if (request.path().startsWith("/test.Echo/")) {
            response.putHeader("content-type", "application/grpc").putTrailer("grpc-status", "0").writeHead();
        }
        request.handler(response::write);
        request.endHandler(end -> response.end());
    }

    @Override
    public void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
