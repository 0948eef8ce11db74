package dev.sluice.service.proxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.Http1xClientConnection;
import io.vertx.core.http.impl.HttpClientConnection;

/**
 * Connection of a pool, and the handler that watches its input. Uses the implementation of the Vert.x client: the public API has
 * no connection that is not pooled before Vert.x 5
 * (<a href="https://github.com/eclipse-vertx/vert.x/issues/3706">vert.x#3706</a>).
 * <p>
 * Confined to its event loop.
 */
final class PooledConnection extends ChannelInboundHandlerAdapter {

    private final HttpClientConnection http;
    private final boolean multiplexed;
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

    PooledConnection(HttpClientConnection http) {
        this.http = http;
        this.multiplexed = !(http instanceof Http1xClientConnection);
        var pipeline = http.channel().pipeline();
        if (multiplexed) {
            pipeline.addBefore("handler", "received", this);
        } else {
            pipeline.replace("codec", "codec", codec);
            pipeline.addBefore("codec", "received", this);
        }
    }

    HttpClientConnection http() {
        return http;
    }

    /** Returns whether the connection carries several exchanges at once (HTTP/2). */
    boolean isMultiplexed() {
        return multiplexed;
    }

    HttpVersion version() {
        return multiplexed ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1;
    }

    /** Returns whether another exchange can begin. */
    boolean isAvailable() {
        return !closed && http.channel().isActive() && http.isValid()
                && (multiplexed ? activeStreams < http.concurrency() : activeStreams == 0);
    }

    /** Returns whether the exchange is not the first one of the connection: the upstream may just have closed it. */
    boolean isReused() {
        return used;
    }

    /** Returns whether the upstream has sent anything since the last exchange began. */
    boolean hasReceived() {
        return received;
    }

    /**
     * @param head whether the request is HEAD
     * @param readComplete runs when a read from the connection is complete; only if it is not multiplexed
     */
    void begin(boolean head, Runnable readComplete) {
        codec.expectBodiless(head);
        activeStreams++;
        onReadComplete = multiplexed ? null : readComplete;
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
        if (reading && !multiplexed) {
            freed = true;
        } else {
            onFree.run();
        }
    }

    /** Sets what runs when the connection takes bytes again after it has not been writable. */
    void onWritable(Runnable action) {
        onWritable = action;
    }

    boolean isWritable() {
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
        if (!multiplexed && activeStreams == 0 && !freed) {
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
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        if (onReadComplete != null) {
            onReadComplete.run();
        }
    }
}
