package dev.sluice.service.llm;

import java.util.concurrent.atomic.AtomicLong;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.LlmConfig;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * Reads the bodies of calls, which must be known before a call is decided: each is bounded, all of them together, and how long
 * one may let wait.
 */
@ApplicationScoped
class RequestBodyBuffer {

    /** A body that is not taken. */
    static final class RefusedException extends RuntimeException {

        private static final long serialVersionUID = 1;
        private final int status;

        RefusedException(int status, String message) {
            super(message, null, false, false);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    private static final Logger LOG = Logger.getLogger(RequestBodyBuffer.class);
    private static final String READING = "dev.sluice.llm.body";
    /** What does not come at least as fast lets wait. */
    private static final long BYTES_PER_SECOND = 1024;

    private final Vertx vertx;
    private final int most;
    private final long mostTogether;
    private final long slowMillis;
    private final AtomicLong held = new AtomicLong();

    @Inject
    RequestBodyBuffer(LlmConfig settings, Vertx vertx) {
        this(vertx, (int) settings.maxBodySize().asLongValue(), Runtime.getRuntime().maxMemory() / 4,
                settings.bodyTimeout().toMillis());
    }

    RequestBodyBuffer(Vertx vertx, int most, long mostTogether, long slowMillis) {
        this.vertx = vertx;
        this.most = most;
        this.mostTogether = mostTogether;
        this.slowMillis = slowMillis;
    }

    /** What is held at the moment, in bytes. */
    long held() {
        return held.get();
    }

    /** Reads a body; fails with {@link RefusedException}. It counts as held until it is released, or the answer has ended. */
    Future<Buffer> read(RoutingContext context) {
        var request = context.request();
        if (request.headers().contains(HttpHeaders.CONTENT_ENCODING)
                && !"identity".equalsIgnoreCase(request.getHeader(HttpHeaders.CONTENT_ENCODING))) {
            return Future.failedFuture(new RefusedException(415, "Send the body without a content-encoding"));
        }
        if (longer(request.getHeader(HttpHeaders.CONTENT_LENGTH))) {
            return Future.failedFuture(tooLarge());
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            context.response().writeContinue();
        }
        var reading = new Reading(context);
        context.put(READING, reading);
        return reading.begin();
    }

    /** The body was sent on. */
    void release(RoutingContext context) {
        if (context.get(READING) instanceof Reading reading) {
            reading.release();
        }
    }

    private boolean longer(String length) {
        try {
            return length != null && Long.parseLong(length) > most;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private RefusedException tooLarge() {
        return new RefusedException(413, "The body is larger than " + most + " bytes (rate-limit.llm.max-body-size)");
    }

    /** One body on its way. */
    private final class Reading {

        private final HttpServerRequest request;
        private final Promise<Buffer> whole = Promise.promise();
        private final Buffer body = Buffer.buffer();
        private long timer = -1;
        private int seen;
        private long reserved;

        Reading(RoutingContext context) {
            this.request = context.request();
            context.addEndHandler(end -> release());
        }

        Future<Buffer> begin() {
            request.handler(this::take);
            request.exceptionHandler(failure -> LOG.debug("A caller broke off its request", failure));
            request.endHandler(end -> whole.tryComplete(body));
            timer = vertx.setPeriodic(slowMillis, tick -> look());
            request.resume();
            return whole.future().onComplete(done -> vertx.cancelTimer(timer));
        }

        private void take(Buffer chunk) {
            if (body.length() + chunk.length() > most) {
                refuse(tooLarge());
                return;
            }
            reserved += chunk.length();
            if (held.addAndGet(chunk.length()) > mostTogether && held.get() > reserved) {
                refuse(new RefusedException(503, "Too many large bodies at once; try again"));
                release();
                return;
            }
            body.appendBuffer(chunk);
        }

        private void look() {
            if (body.length() - seen < BYTES_PER_SECOND * slowMillis / 1000) {
                if (request.version() != HttpVersion.HTTP_2) {
                    request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // the rest is not waited for
                }
                refuse(new RefusedException(408, "The request's body did not arrive in time"));
            }
            seen = body.length();
        }

        private void refuse(RefusedException refusal) {
            request.handler(null);
            request.endHandler(null);
            whole.tryFail(refusal);
        }

        private void release() {
            held.addAndGet(-reserved);
            reserved = 0;
            vertx.cancelTimer(timer);
        }
    }
}
