package dev.sluice.service.edge;

import java.util.Set;

import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * Streams a request body to another request, with backpressure. After {@link #discard()} the rest is read and dropped, so that
 * the client connection stays usable; the forwarded request of an aborted body is never ended.
 */
public final class StreamedRequestBody {

    private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");

    private final HttpServerRequest body;
    private boolean discarding;

    public StreamedRequestBody(HttpServerRequest body) {
        this.body = body;
    }

    /** Returns whether the request has a body. HTTP/2 does not announce one in the headers, so there the method decides. */
    public boolean isExpected() {
        return body.headers().contains(HttpHeaders.CONTENT_LENGTH) || body.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                || body.version() == HttpVersion.HTTP_2 && WITH_BODY.contains(body.method().name());
    }

    /** @param onAbort runs if the body is aborted by the client */
    public void sendTo(HttpClientRequest request, Runnable onAbort) {
        ExpectContinue.accept(body);
        var length = body.getHeader(HttpHeaders.CONTENT_LENGTH);
        if (length != null) {
            request.putHeader(HttpHeaders.CONTENT_LENGTH, length);
        } else {
            request.setChunked(true);
        }
        body.handler(chunk -> {
            if (discarding) {
                return;
            }
            request.write(chunk);
            if (request.writeQueueFull()) {
                body.pause();
                request.drainHandler(drained -> body.resume());
            }
        });
        body.exceptionHandler(failure -> onAbort.run());
        body.endHandler(end -> {
            if (!discarding) {
                request.end();
            }
        });
        body.resume();
    }

    /** Returns whether the body has been received completely. */
    public boolean isEnded() {
        return body.isEnded();
    }

    /** Discards the rest of the body. */
    public void discard() {
        if (!discarding) {
            discarding = true;
            if (!body.isEnded()) { // an HTTP/2 request that has ended cannot be resumed: vertx-web#2199
                body.resume();
            }
        }
    }
}
