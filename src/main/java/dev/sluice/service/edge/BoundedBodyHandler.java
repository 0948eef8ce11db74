package dev.sluice.service.edge;

import java.util.Set;

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
 * Buffers the body of a request to one of Sluice's own endpoints, bounded in size and time, so that no thread waits for a slow
 * client.
 */
public final class BoundedBodyHandler {

    private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");

    private final RoutingContext context;
    private final HttpServerRequest request;
    private final Limits limits;
    private Buffer body;
    private boolean copied;
    private boolean finished;
    private long timer = -1;

    /**
     * @param maxBytes maximum body size
     * @param timeoutMillis maximum time for the body to arrive
     */
    public record Limits(Vertx vertx, long maxBytes, long timeoutMillis) {
    }

    private BoundedBodyHandler(RoutingContext context, Limits limits) {
        this.context = context;
        this.request = context.request();
        this.limits = limits;
    }

    /** Calls the next route when the body is complete; immediately if there is none. */
    public static void read(RoutingContext context, Limits limits) {
        var body = new BoundedBodyHandler(context, limits);
        if (!isExpected(body.request)) {
            context.next();
        } else if (body.request.version() == HttpVersion.HTTP_2) {
            body.passThrough();
        } else {
            body.receive(onBody -> {
                ((RoutingContextInternal) context).setBody(onBody);
                context.next();
            });
        }
    }

    /** Passes on the complete body in the context of the request; an empty buffer if there is none. */
    public static void read(RoutingContext context, Limits limits, Handler<Buffer> onBody) {
        var body = new BoundedBodyHandler(context, limits);
        if (body.request.isEnded() || !isExpected(body.request)) {
            onBody.handle(Buffer.buffer());
        } else {
            body.receive(onBody);
        }
    }

    /** Returns whether a request has a body. HTTP/2 does not announce one in the headers, so there the method decides. */
    private static boolean isExpected(HttpServerRequest request) {
        return request.headers().contains(HttpHeaders.CONTENT_LENGTH)
                || request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
                || request.version() == HttpVersion.HTTP_2 && WITH_BODY.contains(request.method().name());
    }

    /**
     * Leaves an HTTP/2 body to JAX-RS: it pauses the request, and Vert.x does not allow pausing an ended stream
     * (<a href="https://github.com/quarkusio/quarkus/issues/34393">quarkus#34393</a>).
     */
    private void passThrough() {
        if (accept()) {
            startTimer();
            context.addEndHandler(answered -> cancelTimer());
            context.next();
        }
    }

    private void receive(Handler<Buffer> onBody) {
        if (!accept()) {
            return;
        }
        request.handler(this::append);
        request.exceptionHandler(failure -> {
            stop();
            MalformedBody.respond(context, failure); // otherwise, the client has disconnected
        });
        request.endHandler(end -> {
            if (!finished) {
                stop();
                onBody.handle(body == null ? Buffer.buffer() : body);
            }
        });
        // Most bodies arrive together with the header section: only the others need a timer.
        var eventLoop = limits.vertx().getOrCreateContext();
        ConnectionTimeoutHandler.afterRead(request, () -> {
            if (!finished) {
                eventLoop.runOnContext(later -> startTimer());
            }
        });
    }

    /** Rejects a body announced as too large; sends 100 Continue if the client expects it. */
    private boolean accept() {
        if (contentLength() > limits.maxBytes()) {
            reject(ServiceErrors.forStatus(413));
            return false;
        }
        ExpectContinue.accept(request);
        return true;
    }

    /** @return -1 if no length is announced */
    private long contentLength() {
        var length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE; // HTTP/2 passes values that HTTP/1 parsing rejects
        }
    }

    private void append(Buffer chunk) {
        if (finished) {
            return;
        }
        if (body == null) {
            body = chunk;
        } else if (body.length() + chunk.length() > limits.maxBytes()) {
            reject(ServiceErrors.forStatus(413));
            return;
        } else {
            if (!copied) {
                body = Buffer.buffer(2 * (body.length() + chunk.length())).appendBuffer(body);
                copied = true;
            }
            body.appendBuffer(chunk);
        }
        if (body.length() > limits.maxBytes()) {
            reject(ServiceErrors.forStatus(413));
        }
    }

    private void startTimer() {
        if (finished) {
            return;
        }
        timer = limits.vertx().setTimer(limits.timeoutMillis(), timerId -> {
            if (!request.isEnded()) {
                reject(ErrorResponse.of(408, "RATE_4081", "Request body not received in time"));
            }
        });
    }

    private void cancelTimer() {
        if (timer >= 0) {
            limits.vertx().cancelTimer(timer);
        }
    }

    private void stop() {
        finished = true;
        cancelTimer();
    }

    private void reject(ErrorResponse error) {
        stop();
        body = null;
        if (context.response().ended() || context.response().closed()) {
            return;
        }
        if (request.version() != HttpVersion.HTTP_2) {
            request.handler(null);
            request.endHandler(null);
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            if (error.status() == 408) {
                context.addEndHandler(ended -> request.connection().close());
            } else {
                request.endHandler(dropped -> request.connection().close()); // closing earlier could lose the response
            }
        }
        error.send(context);
    }
}
