package dev.sluice.service.proxy;

import org.jboss.logging.Logger;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.http.RequestSlot;
import dev.sluice.service.edge.ConnectionTimeoutHandler;
import dev.sluice.service.edge.LoopTimer;
import dev.sluice.service.edge.SecurityHeaders;
import dev.sluice.service.log.RequestRecord;
import dev.sluice.service.proxy.connection.UpstreamStream;
import io.netty.channel.Channel;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpResponseHead;
import io.vertx.core.http.impl.HttpServerRequestInternal;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.core.net.impl.VertxHandler;
import io.vertx.ext.web.RoutingContext;

/**
 * A WebSocket whose bytes pass in both directions, with backpressure. Frames are followed only to find their boundaries.
 * <p>
 * Confined to the event loop of the request, except {@link #closeGracefully}.
 */
final class WebSocketTunnel extends LoopTimer.Timed implements WebSocketTunnels.Tunnel {

    private static final Logger LOG = Logger.getLogger(WebSocketTunnel.class);
    /** Maximum time in which a peer reads nothing of what is left to be sent when the WebSocket is closed. */
    private static final long FLUSH_TIMEOUT_MILLIS = 5000;

    private final Upstream upstream;
    private final LoopTimer timer;
    private final RoutingContext context;
    private final HttpServerRequest request;
    private final ContextInternal loopContext;
    private final UpstreamStream stream;
    private final WebSocketFrames toClient = new WebSocketFrames();
    private final WebSocketFrames toUpstream = new WebSocketFrames();
    /** Handler of the HTTP connection, which the socket replaces in the pipeline. */
    private VertxHandler<?> httpHandler;
    private NetSocket socket;
    private ConcurrencySlot slot = ConcurrencySlot.NONE;
    /** True if one side has closed: the other one gets what is left, whether it can take more or not. */
    private boolean draining;
    private long activeAt;
    /** Time at which a peer has read something since the WebSocket was closed, and the bytes that were left then. */
    private long flushedAt;
    private long unsent;
    private int closeStatus;
    private boolean closeSent;
    private boolean closed;

    WebSocketTunnel(Upstream upstream, LoopTimer timer, RoutingContext context, UpstreamStream stream) {
        this.upstream = upstream;
        this.timer = timer;
        this.context = context;
        this.request = context.request();
        this.loopContext = (ContextInternal) ((HttpServerRequestInternal) request).context();
        this.stream = stream;
    }

    void open(HttpResponseHead head) {
        stream.pause();
        var response = context.response().setStatusCode(head.statusCode);
        SecurityHeaders.remove(response.headers());
        response.headers().addAll(head.headers).remove("Keep-Alive");
        response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.UPGRADE);
        ConnectionTimeoutHandler.stopWatching(request.connection());
        stream.onFailure(failure -> closeAfterRest());
        stream.onEnd(end -> close());
        httpHandler = (VertxHandler<?>) channel().pipeline().get("handler");
        slot = RequestSlot.continueAsTunnel(context);
        try {
            request.toNetSocket().onSuccess(this::connect).onFailure(failure -> close());
        } catch (RuntimeException e) {
            LOG.debug("The client has disconnected: its connection cannot be taken over", e);
            close();
        }
    }

    private void connect(NetSocket client) {
        socket = client;
        upstream.tunnels().add(this);
        activeAt = timer.now();
        timer.register(this);
        client.handler(this::onClientBytes);
        stream.connection().onWritable(client::resume); // the stream of an upgraded connection never reports that it has drained
        client.exceptionHandler(failure -> close());
        client.closeHandler(gone -> closeAfterRest());
        stream.onChunk(this::onUpstreamBytes);
        stream.resume();
    }

    /** Closes both sides after what one of them has sent before it closed. */
    private void closeAfterRest() {
        draining = true;
        stream.resume();
        if (socket != null) {
            socket.resume();
        }
        loopContext.runOnContext(delivered -> close());
    }

    private void onClientBytes(Buffer bytes) {
        if (closed) {
            return;
        }
        activeAt = timer.now();
        toUpstream.feed(bytes);
        stream.send(bytes, false);
        if (!draining && !stream.connection().isWritable()) {
            socket.pause();
        }
    }

    private void onUpstreamBytes(Buffer bytes) {
        if (closed) {
            return;
        }
        activeAt = timer.now();
        toClient.feed(bytes);
        socket.write(bytes);
        if (!draining && socket.writeQueueFull()) {
            stream.pause();
            socket.drainHandler(drained -> stream.resume());
        }
        if (closeStatus != 0) {
            sendClose();
        }
    }

    /**
     * Ends the HTTP connection and the request that have become this tunnel: Vert.x does not after an upgrade. A graceful shutdown,
     * which counts requests, would never complete, and Quarkus's limit of connections would count the connection for ever.
     */
    private void releaseRequest() {
        httpHandler.channelInactive(null);
    }

    @Override
    public void closeGracefully(int status) {
        loopContext.runOnContext(now -> {
            closeStatus = status;
            sendClose();
        });
    }

    private void sendClose() {
        if (!closed && !closeSent && toClient.isAtBoundary()) {
            closeSent = true;
            if (!toClient.isClosing()) {
                socket.write(WebSocketFrames.close(closeStatus, false));
            }
            if (!toUpstream.isClosing() && toUpstream.isAtBoundary()) {
                stream.send(WebSocketFrames.close(closeStatus, true), false);
            }
        }
    }

    @Override
    public void closeNow() {
        loopContext.runOnContext(now -> close());
    }

    @Override
    protected void onTick(long now) {
        if (closed) {
            forceClosing(now);
        } else if (now - activeAt > upstream.options().webSocketIdleTimeout().toMillis()) {
            LOG.debug("WebSocket is idle");
            close();
        }
    }

    /** Closes both connections, each when what is left has been sent to its peer. */
    private void close() {
        if (closed) {
            return;
        }
        closed = true;
        slot.release();
        flushedAt = timer.now();
        unsent = Long.MAX_VALUE;
        timer.register(this);
        upstream.tunnels().remove(this);
        stream.connection().http().close();
        if (socket != null) {
            socket.close();
            releaseRequest();
        } else {
            request.connection().close();
        }
        var record = RequestRecord.of(context);
        if (record != null) {
            record.onTunnelEnd();
        }
    }

    /** Closes the connections of which a peer does not read what is left. */
    private void forceClosing(long now) {
        var toUpstreamChannel = stream.connection().http().channel();
        var toClientChannel = channel();
        if (!toUpstreamChannel.isOpen() && !toClientChannel.isOpen()) {
            timer.unregister(this);
            return;
        }
        long left = unsent(toUpstreamChannel) + unsent(toClientChannel);
        if (left < unsent) {
            unsent = left;
            flushedAt = now;
        } else if (now - flushedAt >= FLUSH_TIMEOUT_MILLIS) {
            timer.unregister(this);
            closeAtOnce(toUpstreamChannel);
            closeAtOnce(toClientChannel);
        }
    }

    private Channel channel() {
        return ((ConnectionBase) request.connection()).channel();
    }

    private static long unsent(Channel channel) {
        var buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /** From the first handler: closing further up waits until all writes are flushed. */
    private static void closeAtOnce(Channel channel) {
        var first = channel.pipeline().firstContext();
        if (first != null) {
            first.close();
        }
    }
}
