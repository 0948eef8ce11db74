package dev.sluice.service.edge;

import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.Http1xOrH2CHandler;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * Replaces the HTTP/1 decoder of Vert.x by {@link RequestDecoder} and adds a {@link MalformedRequestHandler}, or for HTTP/2 an
 * {@link Http2RequestGuard}, before the first request of a connection is decoded. Vert.x configures the pipeline when it knows
 * the protocol: without TLS, when it reads bytes that are not the preface of HTTP/2; with TLS, when the handshake has completed.
 * It has no hook at that time.
 */
public final class HttpPipelineInitializer extends ChannelInboundHandlerAdapter {

    private static final String DECODER = "httpDecoder";
    private static final String ENCODER = "httpEncoder";
    /** Name of Vert.x's handler that configures the pipeline after the TLS handshake. */
    private static final String HANDSHAKER = "handshaker";
    private static final byte[] HTTP2_PREFACE = Http1xOrH2CHandler.HTTP_2_PREFACE.getBytes(StandardCharsets.US_ASCII);
    private static final int CRLF = '\r' << 8 | '\n';

    private final HttpServerOptions options;
    private final Predicate<SocketAddress> proxies;
    /** Bytes that may be the beginning of the HTTP/2 preface; null if there are none. */
    private ByteBuf undecided;

    /** @param proxies whether an address is that of a configured proxy */
    HttpPipelineInitializer(HttpServerOptions options, Predicate<SocketAddress> proxies) {
        this.proxies = proxies;
        this.options = options;
    }

    /**
     * Writes what an iteration of the event loop sends on a connection by one system call. Vert.x flushes the message and the
     * trailers of a gRPC response one by one where the decision comes from Redis, and not while the request is read. Called on the
     * connection's event loop.
     */
    public static void consolidateFlushes(HttpConnection connection) {
        var context = ((ConnectionBase) connection).channelHandlerContext();
        context.pipeline().addBefore(context.name(), "flush-consolidation",
                new FlushConsolidationHandler(FlushConsolidationHandler.DEFAULT_EXPLICIT_FLUSH_AFTER_FLUSHES, true));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var pipeline = context.pipeline();
        if (pipeline.get(HANDSHAKER) != null) {
            pipeline.addBefore(HANDSHAKER, "http-pipeline-initializer-tls", new AfterHandshake());
            pipeline.remove(this);
            context.fireChannelRead(message);
            return;
        }
        var bytes = (ByteBuf) message;
        if (undecided != null) {
            bytes = undecided.writeBytes(bytes);
            ((ByteBuf) message).release();
            undecided = null;
        }
        int compared = Math.min(bytes.readableBytes(), HTTP2_PREFACE.length);
        int matching = 0;
        while (matching < compared && bytes.getByte(bytes.readerIndex() + matching) == HTTP2_PREFACE[matching]) {
            matching++;
        }
        if (matching == bytes.readableBytes() && matching < HTTP2_PREFACE.length) {
            undecided = context.alloc().buffer(2 * HTTP2_PREFACE.length).writeBytes(bytes);
            bytes.release();
            return;
        }
        if (matching < HTTP2_PREFACE.length) {
            // An empty line before a request is ignored (RFC 9112, section 2.2), but it makes Vert.x configure HTTP/1.
            context.fireChannelRead(context.alloc().buffer(2).writeShort(CRLF));
            configure(pipeline);
        } else {
            context.fireChannelRead(bytes.readRetainedSlice(HTTP2_PREFACE.length));
            Http2RequestGuard.install(pipeline);
        }
        pipeline.remove(this);
        context.fireChannelRead(bytes);
    }

    private void configure(ChannelPipeline pipeline) {
        if (pipeline.get(DECODER) != null) {
            pipeline.replace(DECODER, DECODER, new RequestDecoder(options, proxies.test(pipeline.channel().remoteAddress())));
            MalformedRequestHandler.install(pipeline, ENCODER);
        } else {
            Http2RequestGuard.install(pipeline);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (undecided != null) {
            undecided.release();
            undecided = null;
        }
    }

    /** Waits for the end of the TLS handshake. */
    private final class AfterHandshake extends ChannelInboundHandlerAdapter {

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            context.fireUserEventTriggered(event);
            if (event instanceof SslHandshakeCompletionEvent completion) {
                if (completion.isSuccess()) {
                    configure(context.pipeline());
                }
                context.pipeline().remove(this);
            }
        }
    }
}
