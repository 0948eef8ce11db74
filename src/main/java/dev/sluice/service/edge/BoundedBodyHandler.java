package dev.sluice.service.edge;

import dev.sluice.http.ErrorResponse;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextInternal;

/**
 * The body of a request to one of Sluice's own doors. It is whole before anybody looks at it, bounded in size and in the time it
 * may take: no thread waits for what a client lets wait.
 */
public final class BoundedBodyHandler {

    private final RoutingContext context;
    private final HttpServerRequest request;
    private final Limits limits;
    private Buffer body;
    private boolean copied;
    private boolean over;
    private long timer = -1;

    /**
     * @param bytes the largest body
     * @param millis the longest that it may take to arrive
     */
    public record Limits(Vertx vertx, long bytes, long millis) {
    }

    private BoundedBodyHandler(RoutingContext context, Limits limits) {
        this.context = context;
        this.request = context.request();
        this.limits = limits;
    }

    /** Goes on to the next route when the body is whole; at once where there is none. */
    public static void read(RoutingContext context, Limits limits) {
        var body = new BoundedBodyHandler(context, limits);
        if (!new StreamedRequestBody(body.request).expected()) {
            context.next();
        } else if (body.request.version() == HttpVersion.HTTP_2) {
            body.leave();
        } else {
            body.receive(whole -> {
                ((RoutingContextInternal) context).setBody(whole);
                context.next();
            });
        }
    }

    /** Hands the body over when it is whole, in the context of the request; an empty one where there is none. */
    public static void read(RoutingContext context, Limits limits, Handler<Buffer> whole) {
        var body = new BoundedBodyHandler(context, limits);
        if (body.request.isEnded() || !new StreamedRequestBody(body.request).expected()) {
            whole.handle(Buffer.buffer());
        } else {
            body.receive(whole);
        }
    }

    /** JAX-RS pauses what it gets, and Vert.x does not let streams be paused that have ended: it reads bodies of HTTP/2 itself. */
    private void leave() {
        if (admissible()) {
            startTimer();
            context.addEndHandler(answered -> cancelTimer());
            context.next();
        }
    }

    private void receive(Handler<Buffer> whole) {
        if (!admissible()) {
            return;
        }
        request.handler(this::take);
        request.exceptionHandler(failure -> stop()); // the client has gone
        request.endHandler(end -> {
            if (!over) {
                stop();
                whole.handle(body == null ? Buffer.buffer() : body);
            }
        });
        // Most bodies arrive together with their heads: a timer is made for those only that do not.
        var own = limits.vertx().getOrCreateContext();
        ConnectionTimeoutHandler.afterRead(request, () -> {
            if (!over) {
                own.runOnContext(later -> startTimer());
            }
        });
    }

    /** Refuses what is announced as too large; asks for what waits to be asked for. */
    private boolean admissible() {
        if (announced() > limits.bytes()) {
            refuse(ServiceErrors.answer(413));
            return false;
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            context.response().writeContinue();
        }
        return true;
    }

    /** @return -1 where no length is announced; nothing else than a number comes here */
    private long announced() {
        var length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE; // HTTP/2 carries what HTTP/1 would have refused
        }
    }

    private void take(Buffer chunk) {
        if (over) {
            return;
        }
        if (body == null) {
            body = chunk;
        } else if (body.length() + chunk.length() > limits.bytes()) {
            refuse(ServiceErrors.answer(413));
            return;
        } else {
            if (!copied) {
                body = Buffer.buffer(2 * (body.length() + chunk.length())).appendBuffer(body);
                copied = true;
            }
            body.appendBuffer(chunk);
        }
        if (body.length() > limits.bytes()) {
            refuse(ServiceErrors.answer(413));
        }
    }

    private void startTimer() {
        if (over) {
            return;
        }
        timer = limits.vertx().setTimer(limits.millis(), late -> {
            if (!request.isEnded()) {
                refuse(ErrorResponse.of(408, "RATE_4081", "The request's body did not arrive in time"));
            }
        });
    }

    private void cancelTimer() {
        if (timer >= 0) {
            limits.vertx().cancelTimer(timer);
        }
    }

    private void stop() {
        over = true;
        cancelTimer();
    }

    private void refuse(ErrorResponse answer) {
        stop();
        body = null;
        if (context.response().ended() || context.response().closed()) {
            return;
        }
        if (request.version() != HttpVersion.HTTP_2) {
            request.handler(null);
            request.endHandler(null);
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            if (answer.status() == 408) {
                context.addEndHandler(told -> request.connection().close());
            } else {
                request.endHandler(dropped -> request.connection().close()); // or else the answer might not arrive
            }
        }
        answer.send(context);
    }
}
