package dev.sluice.service.proxy.connection;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.Http1xClientConnection;
import io.vertx.core.http.impl.HttpClientConnection;

/**
 * Connection of a pool, and, with HTTP/1.1, the handler that watches its input. Uses the implementation of the Vert.x client: the public API has
 * no connection that is not pooled before Vert.x 5
 * (<a href="https://github.com/eclipse-vertx/vert.x/issues/3706">vert.x#3706</a>).
 * <p>
 * Confined to its event loop.
 */
public final class PooledConnection extends ChannelInboundHandlerAdapter {

    private static final long NEVER = -1;

    private final HttpClientConnection http;
    /** Null if the connection is not multiplexed. */
    private final Http2Connection http2;
    /** Unused if the connection is multiplexed. */
    private final UpstreamCodec codec = new UpstreamCodec();
    private ChannelHandlerContext handlerContext;
    private Runnable onReadComplete;
    private Runnable onFree = () -> {
    };
    private Runnable onWritable;
    private boolean reading;
    private boolean freed;
    private int activeStreams;
    private boolean used;
    private boolean received;
    private boolean stream;
    private boolean closed;
    private long idleSince;
    private long yieldingSince = NEVER;
    /** Actions of the exchanges that have not opened their streams. */
    private final Set<Runnable> unopened = new LinkedHashSet<>();

    PooledConnection(HttpClientConnection http) {
        this.http = http;
        var pipeline = http.channel().pipeline();
        if (http instanceof Http1xClientConnection) {
            http2 = null;
            pipeline.replace("codec", "codec", codec);
            pipeline.addBefore("codec", "received", this);
        } else {
            var handler = (Http2ConnectionHandler) pipeline.get("handler");
            http2 = handler.connection();
            pipeline.addBefore("handler", "tls-closure", new ChannelInboundHandlerAdapter() {
                @Override
                public void userEventTriggered(ChannelHandlerContext context, Object event) {
                    onUserEvent(context, event);
                }
            });
            UpstreamCodec.hideInterimResponses(handler.decoder());
        }
    }

    /** Returns the connection of the Vert.x client. */
    public HttpClientConnection http() {
        return http;
    }

    /** Returns whether the connection carries several exchanges at once (HTTP/2). */
    boolean isMultiplexed() {
        return http2 != null;
    }

    HttpVersion version() {
        return isMultiplexed() ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1;
    }

    /** Returns whether another exchange can begin. */
    boolean isAvailable() {
        return !closed && http.channel().isActive() && http.isValid()
                && (isMultiplexed() ? activeStreams < http.concurrency() && !isExhausted() : activeStreams == 0);
    }

    /** Returns whether HTTP/2 has no stream identifiers for further streams (RFC 9113, section 5.1.1). */
    boolean isExhausted() {
        return http2 != null && (Integer.MAX_VALUE - http2.local().lastStreamCreated()) / 2 <= activeStreams;
    }

    /** Returns whether the exchange is not the first one of the connection: the upstream may just have closed it. */
    public boolean isReused() {
        return used;
    }

    /** Returns whether the upstream has sent anything since the last exchange began; only if it is not multiplexed. */
    boolean hasReceived() {
        return received;
    }

    /**
     * Begins an exchange.
     *
     * @param head whether the request is HEAD
     * @param readComplete runs when a read from the connection is complete; never if it is multiplexed
     */
    public void begin(boolean head, Runnable readComplete) {
        codec.expectBodiless(head);
        activeStreams++;
        onReadComplete = readComplete;
        received = false;
    }

    void end() {
        activeStreams--;
        used = true;
        onReadComplete = null;
    }

    int activeStreams() {
        return activeStreams;
    }

    boolean isStream() {
        return stream;
    }

    void setStream(boolean stream) {
        this.stream = stream;
    }

    long idleSince() {
        return idleSince;
    }

    void setIdleSince(long idleSince) {
        this.idleSince = idleSince;
    }

    /** Returns whether either side has sent GOAWAY. */
    boolean isGoingAway() {
        return http2 != null && (http2.goAwayReceived() || http2.goAwaySent());
    }

    /** Returns whether the upstream has said by GOAWAY that it does not process a stream. */
    boolean isNotProcessed(int streamId) {
        return http2 != null && http2.goAwayReceived() && http2.local().lastStreamKnownByPeer() < streamId;
    }

    /** Returns for how many milliseconds the connection has yielded to other event loops, without {@link #stopYielding}. */
    long yieldingMillis(long now) {
        if (yieldingSince == NEVER) {
            yieldingSince = now;
        }
        return now - yieldingSince;
    }

    void stopYielding() {
        yieldingSince = NEVER;
    }

    /** Adds what runs if no stream can be opened any more: an exchange whose stream does not exist yet is not told by HTTP/2. */
    void onUnopenable(Runnable action) {
        unopened.add(action);
    }

    void removeUnopenable(Runnable action) {
        unopened.remove(action);
    }

    void failUnopened() {
        var actions = List.copyOf(unopened);
        unopened.clear();
        actions.forEach(Runnable::run);
    }

    boolean isClosed() {
        return closed;
    }

    void setClosed() {
        closed = true;
    }

    /** Sets what runs when the connection is free for another exchange. */
    void onFree(Runnable action) {
        onFree = action;
    }

    /** Makes the connection free after the current read: until then, the upstream may have sent more than its response. */
    void free() {
        if (reading) {
            freed = true;
        } else {
            onFree.run();
        }
    }

    /** Sets what runs when the connection takes bytes again after it has not been writable. */
    public void onWritable(Runnable action) {
        onWritable = action;
    }

    /** Returns whether the connection takes bytes without buffering too many. */
    public boolean isWritable() {
        return http.channel().isWritable();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        handlerContext = context;
    }

    /** Closes the connection without waiting until what has been written is sent: the upstream may never read it. */
    void abort() {
        handlerContext.close();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        context.fireChannelWritabilityChanged();
        if (onWritable != null && context.channel().isWritable()) {
            onWritable.run();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        received = true;
        reading = true;
        context.fireChannelRead(message);
        reading = false;
        if (activeStreams == 0 && !freed) {
            http.close(); // nothing was requested
        } else if (freed) {
            freed = false;
            if (codec.hasSurplus()) {
                http.close();
            } else {
                onFree.run();
            }
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        onUserEvent(context, event);
    }

    /**
     * Closes a connection whose TLS the upstream has ended (close_notify). With TLS 1.3 it may wait for Sluice's before it closes the
     * connection (RFC 8446, section 6.1), which until then would look usable.
     */
    private static void onUserEvent(ChannelHandlerContext context, Object event) {
        context.fireUserEventTriggered(event);
        if (event instanceof SslCloseCompletionEvent closed && closed.isSuccess()) {
            context.close();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        if (onReadComplete != null) {
            onReadComplete.run();
        }
    }
}
