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
 * One request on its way to the upstream. It bounds how long each side lets the other wait until the answer begins, and lets go
 * of the upstream's connection when the client has gone: whatever state that is in, nobody else can use it.
 */
final class UpstreamExchange {

    /** The client let its body wait. */
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

    /** The connection is there; fails where the client is not any more. */
    Future<HttpClientRequest> begin(HttpClientRequest upstreamRequest) {
        request = upstreamRequest.exceptionHandler(failure -> {
            // told of where the answer is waited for
        });
        if (response.closed()) {
            closeConnection();
            return Future.failedFuture("The client has gone");
        }
        request.connection().closeHandler(closed -> forwarded.upstreamClosed());
        forwarded.onResponseEnd(() -> {
            vertx.cancelTimer(timer);
            if (!response.ended()) {
                closeConnection();
            }
        });
        if (forwarded.version() == HttpVersion.HTTP_2 && !forwarded.headers().contains(HttpHeaders.CONTENT_LENGTH)) {
            forwarded.beforeFirstByte(() -> request.setChunked(true)); // HTTP/2 has no need to say whether a body follows
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
                forwarded.onResponseEnd(() -> forwarded.connection().close()); // the rest of the body is not waited for
            }
            request.reset(0, request.writeQueueFull() ? new TimeoutException() : new SlowClientException());
            closeConnection();
        }
    }

    private void closeConnection() {
        request.connection().close();
    }
}
