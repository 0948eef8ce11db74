package dev.sluice.service;

import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;

/** Passes a WebSocket upgrade on and, where the upstream accepts it, bytes both ways, each side as fast as the other reads. */
final class WebSocketTunnel {

    private final Upstream upstream;

    WebSocketTunnel(Upstream upstream) {
        this.upstream = upstream;
    }

    void open(RoutingContext context, ForwardedRequest forwarded) {
        upstream.connect(forwarded).onSuccess(request -> upgrade(context, forwarded, request))
                .onFailure(failure -> fail(context, failure));
    }

    private void upgrade(RoutingContext context, ForwardedRequest forwarded, HttpClientRequest request) {
        forwarded.headers().remove("Host");
        request.setMethod(HttpMethod.GET).setURI(forwarded.uri()).headers().addAll(forwarded.headers());
        forwarded.endHandler(end -> {
        });
        forwarded.resume();
        request.connect().onSuccess(response -> answered(context, forwarded, response))
                .onFailure(failure -> fail(context, failure));
    }

    private static void answered(RoutingContext context, ForwardedRequest forwarded, HttpClientResponse response) {
        var answer = context.response().setStatusCode(response.statusCode()).setStatusMessage(response.statusMessage());
        response.headers().forEach((name, value) -> {
            if (!answer.headers().contains(name)) {
                answer.headers().set(name, response.headers().getAll(name));
            }
        });
        if (response.statusCode() != 101) {
            response.pipeTo(answer);
            return;
        }
        var inside = response.netSocket().pause();
        forwarded.toNetSocket().onSuccess(outside -> {
            inside.pipeTo(outside);
            outside.pipeTo(inside);
        }).onFailure(failure -> inside.close());
    }

    private static void fail(RoutingContext context, Throwable failure) {
        if (!context.response().ended() && !context.response().headWritten()) {
            Upstream.answer(failure).send(context);
        }
    }
}
