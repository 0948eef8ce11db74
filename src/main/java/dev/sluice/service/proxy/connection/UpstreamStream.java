package dev.sluice.service.proxy.connection;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Exception;
import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.StreamPriority;
import io.vertx.core.http.StreamResetException;
import io.vertx.core.http.impl.HttpClientStream;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;

/**
 * Request and response on a connection of a pool, which takes the connection back when both have ended. Adapts the streams of the
 * Vert.x client: the request objects of its public API cost several futures each and belong to its pool.
 * <p>
 * Confined to its event loop.
 */
public final class UpstreamStream {

    private static final long CANCEL = 8;
    private static final StreamPriority PRIORITY = new StreamPriority();
    private static final Runnable NOTHING = () -> {
    };

    private final HttpClientStream stream;
    private final PooledConnection connection;
    private final ConnectionPool pool;
    /** False before the header section has been sent, and if HTTP/2 allowed no further stream. */
    private boolean opened;
    private boolean released;
    private boolean received;
    /** True if the stream has been told that its connection is going away. */
    private boolean goingAway;
    private Handler<Throwable> failureHandler;
    private final Runnable onUnopenable = this::failUnopened;

    /**
     * @param stream stream of the connection
     * @param pool pool of the connection
     */
    public UpstreamStream(HttpClientStream stream, PooledConnection connection, ConnectionPool pool) {
        this.stream = stream;
        this.connection = connection;
        this.pool = pool;
        stream.closeHandler(closed -> release());
        stream.continueHandler(interim -> received = true);
        stream.earlyHintsHandler(interim -> received = true);
    }

    private void failUnopened() {
        stream.getContext().emit(new HttpClosedException("The connection was closed"), failureHandler);
    }

    /** Reports it as a failure if the connection can open no stream any more, until the header section is sent. */
    public void watchUnopened() {
        if (isHttp2() && !opened) {
            connection.onUnopenable(onUnopenable);
        }
    }

    private void setOpened() {
        opened = true;
        connection.removeUnopenable(onUnopenable);
    }

    private void release() {
        if (!released) {
            released = true;
            pool.release(connection);
        }
    }

    /** Returns the connection, which may carry other streams too if it is of HTTP/2. */
    public PooledConnection connection() {
        return connection;
    }

    /** Returns whether the stream is one of HTTP/2. */
    public boolean isHttp2() {
        return stream.version() == HttpVersion.HTTP_2;
    }

    /** Sets what receives the failures of the stream; may be called more than once. */
    public void onFailure(Handler<Throwable> handler) {
        failureHandler = handler;
        stream.exceptionHandler(handler);
    }

    /** Sets what receives status and header fields of the response. */
    public void onHead(Handler<HttpResponseHead> handler) {
        stream.headHandler(handler);
    }

    /** Sets what receives the parts of the response body. */
    public void onChunk(Handler<Buffer> handler) {
        stream.chunkHandler(handler);
    }

    /** Sets what runs at the end of the response, and receives its trailers, which may be null. */
    public void onEnd(Handler<MultiMap> handler) {
        stream.endHandler(handler);
    }

    /** Sets what runs when the queue has drained. Never called for an upgraded connection; see {@link PooledConnection#onWritable}. */
    public void onDrained(Runnable action) {
        stream.drainHandler(drained -> action.run());
    }

    /**
     * Sends the header section, with the beginning of the body or all of it.
     *
     * @param body null for none
     * @param end whether the request ends with it
     * @param onWritten runs when it has been written to the socket
     */
    public void sendHead(HttpRequestHead head, boolean chunked, Buffer body, boolean end, Runnable onWritten) {
        setOpened();
        stream.writeHead(head, chunked, bytes(body), end, PRIORITY, false, written(onWritten));
    }

    /** Sends the header section as {@link #sendHead(HttpRequestHead, boolean, Buffer, boolean, Runnable)} does. */
    public void sendHead(HttpRequestHead head, boolean chunked, Buffer body, boolean end) {
        sendHead(head, chunked, body, end, NOTHING);
    }

    /** Sends a request that upgrades the connection. It never ends: the connection can only be upgraded or closed. */
    public void sendUpgrade(HttpRequestHead head) {
        setOpened();
        stream.writeHead(head, false, null, false, PRIORITY, true, written(NOTHING));
    }

    /**
     * Sends a part of the body, after the header section.
     *
     * @param body null for none
     * @param end whether the request ends with it
     */
    public void send(Buffer body, boolean end) {
        stream.writeBuffer(bytes(body), end, written(NOTHING));
    }

    @SuppressWarnings("deprecation") // no longer public in Vert.x 5, but the streams of the client take nothing else
    private static ByteBuf bytes(Buffer buffer) {
        return buffer == null ? null : buffer.getByteBuf();
    }

    /** HTTP/2 reports that the queue has drained only to a write with a handler. */
    private Handler<AsyncResult<Void>> written(Runnable onWritten) {
        return written -> {
            if (written.succeeded()) {
                onWritten.run();
            } else if (written.cause() instanceof Http2Exception) {
                opened = false;
            }
        };
    }

    /** Returns whether the upstream reads what is sent: the queue is not full. */
    public boolean isWritable() {
        return !stream.isNotWritable();
    }

    /** Reads no more of the response until {@link #resume}. */
    public void pause() {
        stream.doPause();
    }

    /** Reads the response again. */
    public void resume() {
        stream.doFetch(Long.MAX_VALUE);
    }

    /** Resets the stream, or closes the connection of HTTP/1.1 if the request has been sent. */
    public void cancel() {
        stream.reset(new StreamResetException(CANCEL));
        if (isHttp2()) {
            releaseUnopened();
        } else if (opened) {
            connection.abort();
        }
    }

    /** Gives the connection back if no stream of HTTP/2 has been opened: that is not closed either. */
    public void releaseUnopened() {
        if (isHttp2() && !opened) {
            connection.removeUnopenable(onUnopenable);
            release();
        }
    }

    /** Returns whether any part of a response has arrived, interim ones included. */
    public boolean hasReceived() {
        return received || !isHttp2() && connection.hasReceived();
    }

    /**
     * Returns whether a failure says only that the connection is going away: Vert.x reports it to each stream that ends after that,
     * also to those that end properly. A stream that does not gets a second failure. {@code HttpClosedException.goAway()} must not be
     * called: it copies a buffer that has been released.
     */
    public boolean isGoAway(Throwable failure) {
        if (opened && !goingAway && failure instanceof HttpClosedException && connection.isGoingAway()) {
            goingAway = true;
            return true;
        }
        return false;
    }

    /** Returns whether the upstream has not processed the request: it was not sent, or came too late (RFC 9113, section 6.8). */
    public boolean isNotProcessed() {
        return !opened || connection.isNotProcessed(stream.id());
    }
}
