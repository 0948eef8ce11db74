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

/** A request as the upstream is to see it: with other headers, another URI, and word of how far its body has been read. */
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

    /** Runs it before the first byte of the body is handed on; never where there is none. */
    void beforeFirstByte(Runnable action) {
        beforeFirstByte = action;
    }

    /** Nobody reads what else there is of the body. */
    void upstreamClosed() {
        upstreamClosed = true;
    }

    /** Runs it when the body has been read to its end; at once where it has been. */
    void onBodyRead(Runnable action) {
        onBodyRead = action;
        if (bodyRead) {
            action.run();
        }
    }

    /** Runs it when the answer has ended, or can no longer be given. The handlers of the answer itself are the router's. */
    void onResponseEnd(Runnable action) {
        context.addEndHandler(end -> action.run());
    }

    /** Whether the body has been read to its end. */
    boolean bodyRead() {
        return bodyRead;
    }

    /** How many pieces of the body have been read. */
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
            if (chunk.length() > 0) { // an upgrade to HTTP/2 brings an empty one
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
