package dev.sluice.service.proxy;

import dev.sluice.service.edge.ResponseAbort;
import dev.sluice.service.edge.SecurityHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpResponseHead;
import io.vertx.ext.web.RoutingContext;

/**
 * Writes a response to the client. Holds what has arrived until {@link #flush}, which follows when the current read from the upstream
 * is complete, so that a small response is written at once. What arrives over HTTP/2 is written as it comes, except the header
 * section: it may end its stream, as a gRPC response without messages must.
 */
final class ClientResponse {

    private static final CharSequence TRAILER = HttpHeaders.createOptimized("Trailer");

    private final RoutingContext context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    /** True if the body is held until the next flush. */
    private final boolean holding;
    /** Null before the response has begun, and after its head has been written. */
    private HttpResponseHead head;
    private Buffer held;
    private boolean bodiless;
    private boolean lengthKnown;

    ClientResponse(RoutingContext context, boolean holding) {
        this.context = context;
        this.request = context.request();
        this.response = context.response();
        this.holding = holding;
    }

    /** Prepares the response with the status and the headers of the upstream; nothing is sent before the next call of a method. */
    void begin(HttpResponseHead upstreamHead) {
        head = upstreamHead;
        int status = head.statusCode;
        bodiless = request.method() == HttpMethod.HEAD || status == 204 || status == 304;
        lengthKnown = head.headers.contains(HttpHeaders.CONTENT_LENGTH);
        if (lengthKnown && !bodiless && request.version() == HttpVersion.HTTP_1_1 && head.headers.contains(TRAILER)) {
            head.headers.remove(HttpHeaders.CONTENT_LENGTH); // HTTP/1.1 has trailers only in chunked encoding
            lengthKnown = false;
        }
    }

    private void writeHead() {
        if (head == null) {
            return;
        }
        int status = head.statusCode;
        response.setStatusCode(status);
        if (request.version() != HttpVersion.HTTP_2 && head.statusMessage != null
                && !HttpResponseStatus.valueOf(status).reasonPhrase().equals(head.statusMessage)) {
            response.setStatusMessage(head.statusMessage);
        }
        SecurityHeaders.remove(response.headers());
        var headers = response.headers();
        for (var header : head.headers) {
            if (!HopByHopHeaders.isConnectionField(header.getKey())) {
                headers.add(header.getKey(), header.getValue());
            }
        }
        head = null;
        if (!bodiless && !lengthKnown && request.version() == HttpVersion.HTTP_1_0) {
            // The end of the connection is the end of the body, even if the client asked to keep the connection.
            context.addHeadersEndHandler(written -> response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE));
            context.addEndHandler(ended -> request.connection().close());
        }
    }

    void write(Buffer chunk) {
        if (bodiless || chunk.length() == 0) {
            return;
        }
        if (!holding) {
            writeNow(chunk);
            return;
        }
        if (held != null) {
            writeNow(held);
        }
        held = chunk;
    }

    private void writeNow(Buffer chunk) {
        writeHead();
        if (!lengthKnown && !response.headWritten() && request.version() == HttpVersion.HTTP_1_1) {
            response.setChunked(true);
        }
        response.write(chunk, null);
    }

    /** Writes what is held; the header section alone if there is nothing else. */
    void flush() {
        if (response.ended() || response.closed()) {
            held = null;
        } else if (held != null) {
            var chunk = held;
            held = null;
            writeNow(chunk);
        } else if (!response.headWritten() && !bodiless) {
            writeHead();
            if (request.version() == HttpVersion.HTTP_1_0 && !lengthKnown) {
                response.write(Buffer.buffer(), null); // the head alone
            } else {
                if (!lengthKnown && request.version() == HttpVersion.HTTP_1_1) {
                    response.setChunked(true);
                }
                response.writeHead();
            }
        }
    }

    /**
     * Ends the response.
     *
     * @param rest last part of the body; may be null
     */
    void end(Buffer rest, MultiMap trailers) {
        writeHead();
        if (trailers != null && !trailers.isEmpty() && !bodiless && request.version() != HttpVersion.HTTP_1_0) {
            HopByHopHeaders.removeFromTrailers(trailers);
            if (request.version() == HttpVersion.HTTP_1_1 && !lengthKnown && !response.headWritten()) {
                response.setChunked(true);
            }
            response.trailers().addAll(trailers);
        }
        var last = held;
        held = null;
        if (rest != null && rest.length() > 0 && !bodiless) {
            last = last == null ? rest : Buffer.buffer(last.length() + rest.length()).appendBuffer(last).appendBuffer(rest);
        }
        if (last == null) {
            response.end();
        } else {
            response.end(last, null);
        }
    }

    boolean isQueueFull() {
        return !response.ended() && response.writeQueueFull();
    }

    void onDrained(Runnable action) {
        response.drainHandler(drained -> action.run());
    }

    /** Returns whether the client has received anything. */
    boolean hasBegun() {
        return response.headWritten();
    }

    boolean isClosed() {
        return response.closed();
    }

    boolean isEnded() {
        return response.ended();
    }

    /** Aborts the response in a way that the client notices. */
    void abort() {
        held = null;
        head = null;
        ResponseAbort.abort(request);
    }
}
