package dev.sluice.service.gateway;

import java.time.Duration;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;

/**
 * One request to the upstream. Bounds the time until the response begins, and closes the upstream connection if the client
 * disconnects: in an unknown state it cannot be reused.
 */
final class UpstreamExchange {

    /** The client did not send its body in time. */
    static final class SlowClientException extends TimeoutException {

        private static final long serialVersionUID = 1;
    }

    private final Vertx vertx;
    private final ForwardedRequest forwarded;
    private final HttpServerResponse response;
    private final long timeoutMillis;
    private HttpClientRequest request;
    private long chunksSeen;
    private long timer = -1;

    UpstreamExchange(Vertx vertx, ForwardedRequest forwarded, Duration timeout) {
        this.vertx = vertx;
        this.forwarded = forwarded;
        this.response = forwarded.response();
        this.timeoutMillis = timeout.toMillis();
    }

    /** Starts the exchange on an established connection; fails if the client has disconnected. */
    Future<HttpClientRequest> begin(HttpClientRequest upstreamRequest) {
        request = upstreamRequest.exceptionHandler(failure -> {
            // reported through the response future
        });
        if (response.closed()) {
            closeConnection();
            return Future.failedFuture("The client has disconnected");
        }
        request.connection().closeHandler(closed -> forwarded.upstreamClosed());
        forwarded.onResponseEnd(() -> {
            vertx.cancelTimer(timer);
            if (!response.ended()) {
                closeConnection();
            }
        });
        if (forwarded.version() == HttpVersion.HTTP_2 && !forwarded.headers().contains(HttpHeaders.CONTENT_LENGTH)) {
            forwarded.beforeFirstByte(() -> request.setChunked(true)); // HTTP/2 does not announce whether a body follows
        }
        timer = vertx.setPeriodic(timeoutMillis, tick -> checkBodyProgress());
        forwarded.onBodyRead(() -> {
            vertx.cancelTimer(timer);
            if (!request.response().isComplete()) {
                request.idleTimeout(timeoutMillis);
            }
        });
        return Future.succeededFuture(request);
    }

    private void checkBodyProgress() {
        if (forwarded.bodyRead() || response.ended()) {
            vertx.cancelTimer(timer);
        } else if (forwarded.chunksRead() > chunksSeen) {
            chunksSeen = forwarded.chunksRead();
        } else {
            vertx.cancelTimer(timer);
            if (forwarded.version() != HttpVersion.HTTP_2) {
                forwarded.onResponseEnd(() -> forwarded.connection().close()); // do not wait for the rest of the body
            }
            request.reset(0, request.writeQueueFull() ? new TimeoutException() : new SlowClientException());
            closeConnection();
        }
    }

    private void closeConnection() {
        request.connection().close();
    }
}
