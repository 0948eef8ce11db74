package dev.sluice.service.gateway;

import dev.sluice.service.edge.AbortableResponse;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.impl.HttpServerRequestInternal;
import io.vertx.core.http.impl.HttpServerRequestWrapper;
import io.vertx.ext.web.RoutingContext;

/** Client request with the headers and URI for the upstream; tracks how much of the body has been read. */
final class ForwardedRequest extends HttpServerRequestWrapper {

    private static final Runnable NOTHING = () -> {
    };

    private final RoutingContext context;
    private final AbortableResponse response;
    private final MultiMap headers;
    private final String uri;
    private Runnable beforeFirstByte = NOTHING;
    private Runnable onBodyRead = NOTHING;
    private boolean bodyRead;
    private boolean upstreamClosed;
    private long chunksRead;

    ForwardedRequest(RoutingContext context, MultiMap headers, String uri) {
        super((HttpServerRequestInternal) context.request());
        this.context = context;
        this.response = new AbortableResponse(context.request());
        this.headers = headers;
        this.uri = uri;
    }

    @Override
    public HttpServerResponse response() {
        return response;
    }

    @Override
    public MultiMap headers() {
        return headers;
    }

    @Override
    public String getHeader(String name) {
        return headers.get(name);
    }

    @Override
    public String getHeader(CharSequence name) {
        return headers.get(name);
    }

    @Override
    public String uri() {
        return uri;
    }

    /** Sets an action to run before the first byte of the body is forwarded; never run without a body. */
    void beforeFirstByte(Runnable action) {
        beforeFirstByte = action;
    }

    /** Discards the rest of the body: the upstream connection is closed. */
    void upstreamClosed() {
        upstreamClosed = true;
    }

    /** Runs an action when the body has been read completely; immediately if it has been. */
    void onBodyRead(Runnable action) {
        onBodyRead = action;
        if (bodyRead) {
            action.run();
        }
    }

    /**
     * Runs an action when the response has ended or was aborted. Uses the routing context, because the handlers of the response
     * itself belong to the router.
     */
    void onResponseEnd(Runnable action) {
        context.addEndHandler(end -> action.run());
    }

    /** Returns whether the body has been read completely. */
    boolean bodyRead() {
        return bodyRead;
    }

    /** Returns the number of body chunks read. */
    long chunksRead() {
        return chunksRead;
    }

    @Override
    public HttpServerRequest handler(Handler<Buffer> handler) {
        super.handler(handler == null ? null : chunk -> {
            chunksRead++;
            if (upstreamClosed) {
                return;
            }
            if (chunk.length() > 0) { // an upgrade to HTTP/2 produces an empty chunk
                beforeFirstByte.run();
                beforeFirstByte = NOTHING;
                handler.handle(chunk);
            }
        });
        return this;
    }

    @Override
    public HttpServerRequest endHandler(Handler<Void> handler) {
        super.endHandler(handler == null ? null : end -> {
            handler.handle(end);
            bodyRead = true;
            onBodyRead.run();
        });
        return this;
    }
}
