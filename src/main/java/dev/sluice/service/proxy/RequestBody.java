package dev.sluice.service.proxy;

import java.util.Set;

import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.edge.MalformedBody;
import dev.sluice.service.proxy.connection.UpstreamStream;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.impl.ContextInternal;

/**
 * Sends a request and streams its body, with backpressure. A body that arrives together with the header section is sent together
 * with it.
 */
final class RequestBody {

    /** Receives what happens to the client's body. */
    interface Listener {

        /** A part of the body, or its end, has been sent. */
        void onProgress();

        /** The body that was given as a buffer has been written. */
        void onBufferSent();

        /** @param malformed whether the body is not valid HTTP; otherwise the client has disconnected */
        void onBodyAborted(boolean malformed);
    }

    private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");
    private static final CharSequence ZERO = HttpHeaders.createOptimized("0");

    private final HttpServerRequest request;
    private final UpstreamRequest forwarded;
    private final ContextInternal context;
    private final Listener listener;
    private final boolean http2Client;
    /** Null after it has been sent: the response may take long. */
    private Buffer buffered;
    private UpstreamStream stream;
    private HttpRequestHead head;
    private String authority;
    private boolean chunked;
    /** True if there is a body, or the upstream has been told so. */
    private boolean withBody;
    private boolean headSent;
    /** True if a part of the body has been passed to a connection: it is not kept. */
    private boolean consumed;
    private boolean streaming;
    private boolean received;
    private boolean sent;
    private boolean discarding;

    /**
     * @param buffered the body; null if that of the client is streamed
     * @param authority host and port of the upstream, for a request without Host
     */
    RequestBody(HttpServerRequest request, UpstreamRequest forwarded, Buffer buffered, String authority,
            ContextInternal context,
            Listener listener) {
        this.authority = authority;
        this.request = request;
        this.forwarded = forwarded;
        this.buffered = buffered;
        this.context = context;
        this.listener = listener;
        this.http2Client = request.version() == HttpVersion.HTTP_2;
        this.withBody = buffered != null;
        this.received = buffered != null || request.isEnded()
                || !http2Client && !ClientRequest.announcesBody(request.headers());
    }

    /**
     * Returns whether the request can be sent again: nothing of it has been sent, or it is idempotent (RFC 9110, section 9.2.2) and
     * has no body.
     */
    boolean isRepeatable() {
        return !headSent || IDEMPOTENT.contains(forwarded.method().name()) && received && !withBody;
    }

    /** Sends the request on a connection; may be called again if it is repeatable. */
    void send(UpstreamStream to) {
        stream = to;
        headSent = false;
        sent = false;
        var headers = forwarded.headers();
        var host = headers.get(HttpHeaders.HOST);
        if (to.isHttp2() && host != null) { // there, it is :authority
            authority = host;
            headers.remove(HttpHeaders.HOST);
        }
        head = new HttpRequestHead(forwarded.method(), forwarded.target(), headers, authority, null, null);
        if (forwarded.webSocket()) {
            headSent = true;
            sent = true;
            stream.sendUpgrade(head);
        } else if (buffered != null) {
            sendBuffered();
        } else if (received) {
            endWithoutBody();
        } else {
            receive();
        }
    }

    /** Detaches the request from a connection that has failed, until it is sent again. */
    void detach() {
        stream = null;
        if (streaming && !received) {
            request.pause();
        }
    }

    private void sendBuffered() {
        forwarded.headers().set(HttpHeaders.CONTENT_LENGTH, Integer.toString(buffered.length()));
        var body = buffered;
        buffered = null;
        consumed = true;
        headSent = true;
        sent = true;
        stream.sendHead(head, false, body, true, listener::onBufferSent);
    }

    private void endWithoutBody() {
        if (WITH_BODY.contains(forwarded.method().name()) && !forwarded.headers().contains(HttpHeaders.CONTENT_LENGTH)) {
            forwarded.headers().set(HttpHeaders.CONTENT_LENGTH, ZERO);
        }
        write(null, true);
    }

    private void receive() {
        if (!streaming) {
            ExpectContinue.accept(request);
        }
        streaming = true;
        var length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        boolean known = length != null;
        if (known) {
            forwarded.headers().set(HttpHeaders.CONTENT_LENGTH, length);
        }
        chunked = !known;
        stream.onDrained(this::resume);
        request.handler(this::onChunk);
        request.exceptionHandler(this::onAborted);
        request.endHandler(end -> onEnd());
        request.resume();
        if (!known && http2Client) {
            // Without a length, only the next events tell whether there is a body. They are delivered before this task.
            context.runOnContext(delivered -> sendHead());
        } else if (!known) {
            sendHead();
        }
    }

    /** Sends the header section without waiting for the body: the upstream may respond to it. */
    private void sendHead() {
        if (!headSent && !received && !discarding && stream != null) {
            headSent = true;
            withBody = true;
            stream.sendHead(head, chunked, null, false);
        }
    }

    private void onChunk(Buffer chunk) {
        listener.onProgress();
        if (discarding || chunk.length() == 0) { // an upgrade to HTTP/2 produces an empty chunk
            return;
        }
        withBody = true;
        boolean complete = !headSent && !chunked
                && Integer.toString(chunk.length()).equals(forwarded.headers().get(HttpHeaders.CONTENT_LENGTH));
        write(chunk, complete);
        if (!complete && stream != null && !stream.isWritable()) { // null if the connection has failed
            request.pause();
        }
    }

    private void onEnd() {
        received = true;
        listener.onProgress();
        if (discarding || sent || stream == null) {
            return;
        }
        if (headSent) {
            write(null, true);
        } else {
            endWithoutBody();
        }
    }

    private void onAborted(Throwable failure) {
        if (!received) {
            received = true;
            listener.onBodyAborted(MalformedBody.isCauseOf(request, failure));
        }
    }

    private void write(Buffer chunk, boolean end) {
        sent = end;
        consumed |= chunk != null;
        if (headSent) {
            stream.send(chunk, end);
        } else {
            headSent = true;
            stream.sendHead(head, chunked && !(end && chunk == null), chunk, end);
        }
    }

    private void resume() {
        listener.onProgress();
        if (!received) {
            request.resume();
        }
    }

    /** Returns whether any part of the body has been sent, so that the request cannot be sent again. */
    boolean isConsumed() {
        return consumed;
    }

    /** Returns whether any part of the request has been sent. */
    boolean isHeadSent() {
        return headSent;
    }

    /** Returns whether the client has sent its body completely. */
    boolean isReceived() {
        return received;
    }

    /** Returns whether the request has been sent completely. */
    boolean isSent() {
        return sent;
    }

    /** Returns whether the upstream does not read the body. */
    boolean isBlockedByUpstream() {
        return headSent && !sent && stream != null && !stream.isWritable();
    }

    /** Reads the rest of the body and drops it, so that the client's connection stays usable. */
    void discard() {
        if (!discarding) {
            discarding = true;
            if (!received && !request.isEnded()) { // an HTTP/2 request that has ended cannot be resumed: vertx-web#2199
                if (!streaming) {
                    request.handler(chunk -> {
                    });
                    request.endHandler(end -> received = true);
                }
                request.resume();
            }
        }
    }
}
