package dev.sluice.service.edge;

import java.util.Set;

import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * A caller's body that is sent on as it comes. What nobody takes any more is read and dropped, so that the caller's connection
 * can go on; a body that breaks off does not end.
 */
public final class StreamedRequestBody {

    private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");

    private final HttpServerRequest body;
    private boolean dropping;

    public StreamedRequestBody(HttpServerRequest body) {
        this.body = body;
    }

    /** Whether there is one. What HTTP/2 does not say it is asked by the method. */
    public boolean expected() {
        return body.headers().contains(HttpHeaders.CONTENT_LENGTH) || body.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                || body.version() == HttpVersion.HTTP_2 && WITH_BODY.contains(body.method().name());
    }

    /** @param brokenOff runs when there will be no more of it */
    public void sendTo(HttpClientRequest request, Runnable brokenOff) {
        if ("100-continue".equalsIgnoreCase(body.getHeader(HttpHeaders.EXPECT))) {
            body.response().writeContinue();
        }
        var length = body.getHeader(HttpHeaders.CONTENT_LENGTH);
        if (length != null) {
            request.putHeader(HttpHeaders.CONTENT_LENGTH, length);
        } else {
            request.setChunked(true);
        }
        body.handler(chunk -> {
            if (dropping) {
                return;
            }
            request.write(chunk);
            if (request.writeQueueFull()) {
                body.pause();
                request.drainHandler(drained -> body.resume());
            }
        });
        body.exceptionHandler(failure -> brokenOff.run());
        body.endHandler(end -> {
            if (!dropping) {
                request.end();
            }
        });
        body.resume();
    }

    /** Whether all of it has come. */
    public boolean ended() {
        return body.isEnded();
    }

    /** Nobody takes what is left of it. */
    public void drop() {
        if (!dropping) {
            dropping = true;
            body.resume();
        }
    }
}
