package dev.sluice.service;

import dev.sluice.http.ErrorAnswer;
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
final class DoorBody {

    private final RoutingContext context;
    private final HttpServerRequest request;
    private final long most;
    private final Buffer body = Buffer.buffer();
    private long timer;

    private DoorBody(RoutingContext context, long most) {
        this.context = context;
        this.request = context.request();
        this.most = most;
    }

    /**
     * Goes on when the body is whole; at once where there is none.
     *
     * @param most bytes
     */
    static void read(RoutingContext context, Vertx vertx, long most, long millis) {
        var caller = new CallerBody(context.request());
        if (!caller.expected()) {
            context.next();
            return;
        }
        var body = new DoorBody(context, most);
        if (body.announced() > most) {
            body.refuse(ServiceErrors.answer(413));
        } else {
            body.read(vertx, millis);
        }
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

    private void read(Vertx vertx, long millis) {
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            context.response().writeContinue();
        }
        timer = vertx.setTimer(millis, late -> {
            if (!request.isEnded()) {
                refuse(ErrorAnswer.of(408, "RATE_4081", "The request's body did not arrive in time"));
            }
        });
        if (request.version() == HttpVersion.HTTP_2) {
            // JAX-RS pauses what it gets, and Vert.x does not let streams be paused that have ended.
            context.addEndHandler(answered -> vertx.cancelTimer(timer));
            context.next();
            return;
        }
        request.handler(chunk -> {
            if (body.length() + chunk.length() > most) {
                vertx.cancelTimer(timer);
                refuse(ServiceErrors.answer(413));
            } else {
                body.appendBuffer(chunk);
            }
        });
        request.exceptionHandler(failure -> vertx.cancelTimer(timer)); // the client has gone
        request.endHandler(end -> {
            vertx.cancelTimer(timer);
            ((RoutingContextInternal) context).setBody(body);
            context.next();
        });
    }

    private void refuse(ErrorAnswer answer) {
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
