package dev.sluice.service.edge;

import java.util.concurrent.TimeUnit;

import dev.sluice.http.ErrorResponse;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.Http1xServerConnection;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.core.net.impl.VertxHandler;
import io.vertx.ext.web.RoutingContext;

/**
 * Lets the routes answer what the HTTP/1 decoder cannot read. Vert.x alone answers an invalid request without a body, and
 * closes the connection at an invalid chunk; Quarkus gives no access to {@code HttpServer.invalidRequestHandler}.
 * <p>
 * A request that cannot be decoded is replaced by a {@link MalformedRequest}, which keeps its place among pipelined requests.
 * An invalid chunk is reported to the exception handler of the request, which may respond; otherwise this handler responds.
 * After either, the rest of the input is discarded, and the connection is closed when the response has been written.
 * <p>
 * Confined to the event loop of the connection.
 */
final class MalformedRequestHandler extends ChannelDuplexHandler {

    /** After a live reload in dev mode, open connections have a handler of the previous class loader, which is not used. */
    private static final AttributeKey<Object> ATTRIBUTE = AttributeKey.valueOf(MalformedRequestHandler.class,
            "malformed-requests");
    /** Name of the Vert.x handler in the pipeline. */
    private static final String VERTX_HANDLER = "handler";
    /** Maximum time for the client to read the last response and to close. */
    private static final long LINGER_MILLIS = 2000;

    /** Requests read from the connection. */
    private int received;
    /** Requests passed to the routes. A pipelined request waits for the response to its predecessor. */
    private int dispatched;
    /** Request whose body is being received, if the routes have it already. */
    private RoutingContext receiving;
    private boolean bodyEnded;
    /** True if the last request asks for an upgrade to HTTP/2. */
    private boolean upgrading;
    /** True if the body of the last request is malformed. */
    private boolean malformedBody;
    private boolean discarding;
    private boolean lingering;

    static void install(ChannelPipeline pipeline, String predecessor) {
        var handler = new MalformedRequestHandler();
        pipeline.channel().attr(ATTRIBUTE).set(handler);
        pipeline.addAfter(predecessor, "malformed-requests", handler);
    }

    private static MalformedRequestHandler of(HttpConnection connection) {
        return connection instanceof ConnectionBase base
                && base.channel().attr(ATTRIBUTE).get() instanceof MalformedRequestHandler handler
                        ? handler
                        : null;
    }

    /**
     * Registers a request that has reached the routes.
     *
     * @return the error to respond with if the request is malformed, otherwise null
     */
    static ErrorResponse onRequest(RoutingContext context) {
        var request = context.request();
        var handler = request.version() == HttpVersion.HTTP_2 ? null : of(request.connection());
        return handler == null ? null : handler.dispatched(context);
    }

    /** Discards all further input of the connection, including the body of the current request. */
    static void discardInput(HttpConnection connection) {
        var handler = of(connection);
        if (handler != null) {
            handler.discarding = true;
        }
    }

    private ErrorResponse dispatched(RoutingContext context) {
        dispatched++;
        boolean last = dispatched == received;
        if (last && malformedBody) {
            return MalformedBody.ERROR;
        }
        receiving = last && !bodyEnded ? context : null;
        return MalformedRequest.error(context.request());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (discarding) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof HttpRequest request) {
            onRequest(context, request);
        } else if (message instanceof HttpContent content) {
            onContent(context, content);
        } else {
            context.fireChannelRead(message);
        }
    }

    private void onRequest(ChannelHandlerContext context, HttpRequest request) {
        received++;
        bodyEnded = false;
        upgrading = request.headers().contains(HttpHeaderNames.UPGRADE, "h2c", true);
        if (request.decoderResult().isSuccess()) {
            context.fireChannelRead(request);
            return;
        }
        discarding = true;
        var malformed = MalformedRequest.of(request);
        ReferenceCountUtil.release(request);
        if (context.channel().isActive()) { // otherwise, the header section has ended with the connection
            context.fireChannelRead(malformed);
            context.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
        }
    }

    private void onContent(ChannelHandlerContext context, HttpContent content) {
        if (content.decoderResult().isFailure()) {
            ReferenceCountUtil.release(content);
            discarding = true;
            onMalformedBody(context, content.decoderResult().cause());
            return;
        }
        if (content instanceof LastHttpContent) {
            bodyEnded = true;
            receiving = null;
        }
        var pipeline = context.pipeline();
        context.fireChannelRead(content);
        if (upgrading && bodyEnded) {
            upgrading = false;
            Http2RequestGuard.install(pipeline); // the upgrade is complete, and no frame has been read
        }
    }

    private void onMalformedBody(ChannelHandlerContext context, Throwable cause) {
        malformedBody = true;
        MalformedBody.mark(context.channel(), cause);
        if (dispatched > 0 && dispatched < received) {
            return; // pipelined: answered when the request reaches the routes
        }
        if (context.pipeline().get(VERTX_HANDLER) instanceof VertxHandler<?> handler
                && handler.getConnection() instanceof Http1xServerConnection connection) {
            connection.handleException(cause);
            if (receiving != null) {
                MalformedBody.respond(receiving, cause);
            }
            connection.close(); // after the response has been written
        } else {
            context.close();
        }
    }

    /**
     * Closes the connection; after a malformed request, only in the direction of the client at first. Closing a socket with
     * unread input resets the connection, and the client would lose the response (RFC 9112, section 9.6).
     */
    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (!discarding || !context.channel().isActive()) {
            context.close(promise);
            return;
        }
        context.channel().closeFuture().addListener(closed -> promise.trySuccess());
        if (lingering) {
            return;
        }
        lingering = true;
        context.flush();
        var tls = context.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (context.channel() instanceof DuplexChannel channel) {
            channel.shutdownOutput();
        }
        context.channel().config().setAutoRead(true);
        var timeout = context.executor().schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
        context.channel().closeFuture().addListener(closed -> timeout.cancel(false));
    }
}
