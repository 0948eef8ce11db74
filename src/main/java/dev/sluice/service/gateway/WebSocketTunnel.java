package dev.sluice.service.gateway;

import dev.sluice.service.edge.ConnectionTimeoutHandler;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;

/** Forwards a WebSocket upgrade and, if the upstream accepts it, bytes in both directions with backpressure. */
final class WebSocketTunnel {

    private final UpstreamClient upstream;

    WebSocketTunnel(UpstreamClient upstream) {
        this.upstream = upstream;
    }

    void open(RoutingContext context, ForwardedRequest forwarded) {
        upstream.connect(forwarded).onSuccess(request -> upgrade(context, forwarded, request))
                .onFailure(failure -> fail(context, failure));
    }

    private void upgrade(RoutingContext context, ForwardedRequest forwarded, HttpClientRequest request) {
        forwarded.headers().remove(HttpHeaders.HOST).remove(HttpHeaders.CONTENT_LENGTH).remove(HttpHeaders.TRANSFER_ENCODING);
        request.setMethod(HttpMethod.GET).setURI(forwarded.uri()).headers().addAll(forwarded.headers());
        forwarded.endHandler(end -> {
        });
        forwarded.resume();
        request.connect().onSuccess(response -> onUpgradeResponse(context, forwarded, response))
                .onFailure(failure -> fail(context, failure));
    }

    private static void onUpgradeResponse(RoutingContext context, ForwardedRequest forwarded, HttpClientResponse response) {
        var clientResponse = context.response().setStatusCode(response.statusCode()).setStatusMessage(response.statusMessage());
        var headers = HttpHeaders.headers().addAll(response.headers());
        UpstreamHeaders.cleanResponse(headers, clientResponse);
        clientResponse.headers().addAll(headers);
        if (response.statusCode() != 101) {
            response.pipeTo(clientResponse);
            return;
        }
        clientResponse.putHeader(HttpHeaders.CONNECTION, HttpHeaders.UPGRADE);
        ConnectionTimeoutHandler.stopWatching(forwarded.connection());
        var upstreamSocket = response.netSocket().pause();
        try {
            forwarded.toNetSocket().onSuccess(clientSocket -> {
                upstreamSocket.pipeTo(clientSocket);
                clientSocket.pipeTo(upstreamSocket);
            }).onFailure(failure -> upstreamSocket.close());
        } catch (RuntimeException e) {
            upstreamSocket.close(); // the client has disconnected: its connection cannot be taken over
        }
    }

    private static void fail(RoutingContext context, Throwable failure) {
        if (!context.response().ended() && !context.response().headWritten()) {
            UpstreamClient.errorFor(failure).send(context);
        }
    }
}
