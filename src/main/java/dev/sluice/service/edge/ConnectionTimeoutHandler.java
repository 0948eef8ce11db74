package dev.sluice.service.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.util.AttributeKey;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * Closes connections that exceed the header, keep-alive or write-stall timeout. The first byte counts as the header section: a
 * connection that sends nothing has no more time than one that begins a request. Netty's {@code IdleStateHandler} is not enough:
 * a client that trickles one byte at a time never becomes idle. Costs one scheduled task per connection and {@link
 * Limits#headerMillis()}, and nothing per request.
 * <p>
 * Confined to the event loop of the connection.
 */
public final class ConnectionTimeoutHandler extends ChannelInboundHandlerAdapter {

    /**
     * @param headerMillis from the first byte of a request to the end of its header section, and from the beginning of the
     *        connection to its first byte
     * @param keepAliveMillis between two requests; on HTTP/2, between two streams
     * @param writeStallMillis for the client to read some of a response that is waiting to be written
     */
    record Limits(long headerMillis, long keepAliveMillis, long writeStallMillis) {
    }

    /** After a live reload in dev mode, open connections have a handler of the previous class loader, which is not used. */
    private static final AttributeKey<Object> ATTRIBUTE = AttributeKey.valueOf(ConnectionTimeoutHandler.class,
            "connection-timeouts");
    /** Number of tracked streams above which ended ones are removed. */
    private static final int MAX_TRACKED = 256;

    /** Response in flight. */
    private static final class PendingResponse {

        private final HttpServerResponse response;
        private long written = -1;
        private long stalledSince;

        PendingResponse(HttpServerResponse response) {
            this.response = response;
        }

        boolean isStalled(long now, long nanos) {
            if (!response.writeQueueFull() || response.bytesWritten() != written) {
                written = response.bytesWritten();
                stalledSince = now;
            }
            return now - stalledSince >= nanos;
        }
    }

    private final Limits limits;
    private final LongSupplier nanoTime;
    private final List<PendingResponse> pendingResponses = new ArrayList<>(1);
    /** False until the first byte. */
    private boolean received;
    /** True while the header section of a request is incomplete. */
    private boolean headerStarted;
    /** Time of the first such byte; without one, time at which the connection was first seen idle. */
    private long waitingSince;
    private boolean idle;
    private Future<?> timeoutCheck;
    /** True while a read from the socket is being processed. */
    private boolean reading;
    private Runnable afterRead;

    ConnectionTimeoutHandler(Limits limits) {
        this(limits, System::nanoTime);
    }

    /** @param nanoTime as {@link System#nanoTime} */
    ConnectionTimeoutHandler(Limits limits, LongSupplier nanoTime) {
        this.limits = limits;
        this.nanoTime = nanoTime;
    }

    /** Registers a request; a no-op if the connection has no such handler. */
    static void onRequest(HttpServerRequest request) {
        var handler = of(request.connection());
        if (handler != null) {
            handler.onRequest(request.response(), request.version() == HttpVersion.HTTP_2);
        }
    }

    /**
     * Runs an action after the current read from the socket has been processed; immediately if none is in progress or the
     * connection has no such handler. Runs on the event loop of the connection, but not in the context of the request.
     */
    static void afterRead(HttpServerRequest request, Runnable action) {
        var handler = of(request.connection());
        if (handler == null || !handler.reading || handler.afterRead != null) {
            action.run();
        } else {
            handler.afterRead = action;
        }
    }

    /** Stops the timeouts: the connection is no longer used for HTTP. */
    public static void stopWatching(HttpConnection connection) {
        var handler = of(connection);
        if (handler != null) {
            handler.stop();
        }
    }

    private static ConnectionTimeoutHandler of(HttpConnection connection) {
        return connection instanceof ConnectionBase base
                && base.channel().attr(ATTRIBUTE).get() instanceof ConnectionTimeoutHandler handler
                        ? handler
                        : null;
    }

    void onRequest(HttpServerResponse response, boolean streams) {
        headerStarted = false;
        idle = false;
        if (!streams) {
            pendingResponses.clear();
        } else if (pendingResponses.size() >= MAX_TRACKED) {
            pendingResponses.removeIf(pending -> pending.response.ended());
        }
        pendingResponses.add(new PendingResponse(response));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.channel().attr(ATTRIBUTE).set(this);
        waitingSince = nanoTime.getAsLong();
        idle = true;
        scheduleCheck(context, TimeUnit.MILLISECONDS.toNanos(limits.headerMillis()));
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        if (!headerStarted
                && (pendingResponses.isEmpty() || pendingResponses.get(pendingResponses.size() - 1).response.ended())) {
            received = true;
            headerStarted = true;
            waitingSince = nanoTime.getAsLong();
        }
        reading = true;
        context.fireChannelRead(bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        reading = false;
        if (afterRead != null) {
            var action = afterRead;
            afterRead = null;
            action.run();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        stop();
        context.fireChannelInactive();
    }

    void stop() {
        if (timeoutCheck != null) {
            timeoutCheck.cancel(false);
            timeoutCheck = null;
        }
    }

    private void scheduleCheck(ChannelHandlerContext context, long nanos) {
        timeoutCheck = context.executor().schedule(() -> timeoutCheck(context), nanos, TimeUnit.NANOSECONDS);
    }

    private void timeoutCheck(ChannelHandlerContext context) {
        long now = nanoTime.getAsLong();
        long head = TimeUnit.MILLISECONDS.toNanos(limits.headerMillis());
        var http2 = context.pipeline().get(Http2ConnectionHandler.class);
        closeStalledWrites(context, http2 != null, now);
        boolean quiet = http2 == null ? pendingResponses.isEmpty() : http2.connection().numActiveStreams() == 0;
        if (quiet && !idle && (http2 != null || !headerStarted)) {
            waitingSince = now;
        }
        idle = quiet;
        long limit = !received || http2 == null && headerStarted
                ? head
                : TimeUnit.MILLISECONDS.toNanos(limits.keepAliveMillis());
        if (quiet && now - waitingSince >= limit) {
            timeoutCheck = null;
            context.channel().close(); // through the whole pipeline: HTTP/2 sends GOAWAY
        } else {
            scheduleCheck(context, quiet ? Math.min(head, limit - (now - waitingSince)) : head);
        }
    }

    private void closeStalledWrites(ChannelHandlerContext context, boolean streams, long now) {
        long nanos = TimeUnit.MILLISECONDS.toNanos(limits.writeStallMillis());
        pendingResponses.removeIf(pending -> {
            if (pending.response.ended() || pending.response.closed()) {
                return true;
            }
            boolean stalled = pending.isStalled(now, nanos);
            if (stalled && streams) {
                pending.response.reset();
            } else if (stalled) {
                // Resets the connection: closing it would be the end of a body for HTTP/1.0.
                context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                context.close(); // from this handler: closing further up waits until all writes are flushed
            }
            return stalled;
        });
    }
}
