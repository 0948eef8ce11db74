package dev.sluice.service.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * How long a connection may let Sluice wait where no request is there whose own patience holds: for the rest of a head, for the
 * next request, and for its client to read what is there for it. A time-out for silence does not do: a byte now and then keeps
 * that from ever coming. It costs a task per connection and {@link Limits#headMillis()}, and nothing per request.
 * <p>
 * All of it happens on the connection's own event loop.
 */
public final class ConnectionTimeoutHandler extends ChannelInboundHandlerAdapter {

    /**
     * @param headMillis from a request's first byte to the end of its head
     * @param idleMillis between two requests; on HTTP/2, between two streams
     * @param readerMillis for the client to take something of an answer that waits for it
     */
    record Limits(long headMillis, long idleMillis, long readerMillis) {
    }

    /** What Vert.x calls its own handler. */
    private static final String VERTX = "handler";
    private static final AttributeKey<ConnectionTimeoutHandler> KEY = AttributeKey.valueOf(ConnectionTimeoutHandler.class,
            "patience");
    /** Streams remembered before those that have ended are forgotten. */
    private static final int MANY = 256;

    /** An answer under way. */
    private static final class Answer {

        private final HttpServerResponse response;
        private long written = -1;
        private long since;

        Answer(HttpServerResponse response) {
            this.response = response;
        }

        boolean stuck(long now, long nanos) {
            if (!response.writeQueueFull() || response.bytesWritten() != written) {
                written = response.bytesWritten();
                since = now;
            }
            return now - since >= nanos;
        }
    }

    private final Limits limits;
    private final List<Answer> answers = new ArrayList<>(1);
    /** Whether a byte has come that belongs to no request known so far. */
    private boolean begun;
    /** When it came; or else, where nothing is under way, when that was seen first. */
    private long since;
    private boolean idle;
    private Future<?> look;
    /** Whether bytes are being handled that have just come. */
    private boolean reading;
    private Runnable afterRead;

    ConnectionTimeoutHandler(Limits limits) {
        this.limits = limits;
    }

    /** A request has come; a no-op where nobody watches the connection. */
    static void begins(HttpServerRequest request) {
        var patience = of(request.connection());
        if (patience != null) {
            patience.begins(request.response(), request.version() == HttpVersion.HTTP_2);
        }
    }

    /**
     * Runs an action after what has been read from the connection so far is handled; at once where nothing is being read, or
     * nobody watches the connection. On the connection's event loop, but not in the request's context.
     */
    static void afterRead(HttpServerRequest request, Runnable action) {
        var patience = of(request.connection());
        if (patience == null || !patience.reading || patience.afterRead != null) {
            action.run();
        } else {
            patience.afterRead = action;
        }
    }

    /** The connection is no longer one of requests and answers. */
    public static void letGo(HttpConnection connection) {
        var patience = of(connection);
        if (patience != null) {
            patience.stop();
        }
    }

    /** What comes after this request, its own body included, is dropped: it is nobody's. */
    static void readNoMore(HttpConnection connection) {
        if (connection instanceof ConnectionBase base) {
            base.channel().pipeline().addBefore(VERTX, "nothing more", new Dropping());
        }
    }

    private static final class Dropping extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message);
        }
    }

    private static ConnectionTimeoutHandler of(HttpConnection connection) {
        return connection instanceof ConnectionBase base ? base.channel().attr(KEY).get() : null;
    }

    private void begins(HttpServerResponse response, boolean streams) {
        begun = false;
        idle = false;
        if (!streams) {
            answers.clear();
        } else if (answers.size() >= MANY) {
            answers.removeIf(answer -> answer.response.ended());
        }
        answers.add(new Answer(response));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.channel().attr(KEY).set(this);
        since = System.nanoTime();
        idle = true;
        lookIn(context, TimeUnit.MILLISECONDS.toNanos(limits.headMillis()));
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        if (!begun && (answers.isEmpty() || answers.get(answers.size() - 1).response.ended())) {
            begun = true;
            since = System.nanoTime();
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

    private void stop() {
        if (look != null) {
            look.cancel(false);
            look = null;
        }
    }

    private void lookIn(ChannelHandlerContext context, long nanos) {
        look = context.executor().schedule(() -> look(context), nanos, TimeUnit.NANOSECONDS);
    }

    private void look(ChannelHandlerContext context) {
        long now = System.nanoTime();
        long head = TimeUnit.MILLISECONDS.toNanos(limits.headMillis());
        var http2 = context.pipeline().get(Http2ConnectionHandler.class);
        letStuckReadersGo(context, http2 != null, now);
        boolean quiet = http2 == null ? answers.isEmpty() : http2.connection().numActiveStreams() == 0;
        if (quiet && !idle && (http2 != null || !begun)) {
            since = now;
        }
        idle = quiet;
        long limit = http2 == null && begun ? head : TimeUnit.MILLISECONDS.toNanos(limits.idleMillis());
        if (quiet && now - since >= limit) {
            look = null;
            context.channel().close(); // through all handlers: HTTP/2 says farewell
        } else {
            lookIn(context, quiet ? Math.min(head, limit - (now - since)) : head);
        }
    }

    private void letStuckReadersGo(ChannelHandlerContext context, boolean streams, long now) {
        long nanos = TimeUnit.MILLISECONDS.toNanos(limits.readerMillis());
        answers.removeIf(answer -> {
            if (answer.response.ended() || answer.response.closed()) {
                return true;
            }
            boolean stuck = answer.stuck(now, nanos);
            if (stuck && streams) {
                answer.response.reset();
            } else if (stuck) {
                context.close(); // from here: whoever else closes it waits until all has been taken
            }
            return stuck;
        });
    }
}
