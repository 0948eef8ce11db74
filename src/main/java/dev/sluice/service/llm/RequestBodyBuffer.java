package dev.sluice.service.llm;

import java.util.concurrent.atomic.AtomicLong;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.edge.MalformedBody;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * Buffers request bodies, which must be parsed before a call is decided. Bounds the size of each, the total, and the time
 * without progress.
 */
@ApplicationScoped
class RequestBodyBuffer {

    private static final Logger LOG = Logger.getLogger(RequestBodyBuffer.class);
    private static final String CONTEXT_KEY = "dev.sluice.llm.body";
    /** Minimum transfer rate; a slower body is rejected. */
    private static final long BYTES_PER_SECOND = 1024;

    private final Vertx vertx;
    private final int maxBytes;
    private final long maxTotalBytes;
    private final long checkMillis;
    private final AtomicLong heldBytes = new AtomicLong();

    @Inject
    RequestBodyBuffer(LlmConfig settings, Vertx vertx) {
        this(vertx, (int) settings.maxBodySize().asLongValue(), Runtime.getRuntime().maxMemory() / 4,
                settings.bodyTimeout().toMillis());
    }

    RequestBodyBuffer(Vertx vertx, int maxBytes, long maxTotalBytes, long checkMillis) {
        this.vertx = vertx;
        this.maxBytes = maxBytes;
        this.maxTotalBytes = maxTotalBytes;
        this.checkMillis = checkMillis;
    }

    /** Returns the number of bytes currently held. */
    long heldBytes() {
        return heldBytes.get();
    }

    /**
     * Reads a body; fails with {@link CallRejectedException}. Its bytes count as held until it is released or the response has
     * ended.
     */
    Future<Buffer> read(RoutingContext context) {
        var request = context.request();
        if (request.headers().contains(HttpHeaders.CONTENT_ENCODING)
                && !"identity".equalsIgnoreCase(request.getHeader(HttpHeaders.CONTENT_ENCODING))) {
            return Future.failedFuture(new CallRejectedException(415, "content-encoding is not supported for request bodies"));
        }
        if (exceedsLimit(request.getHeader(HttpHeaders.CONTENT_LENGTH))) {
            return Future.failedFuture(tooLarge());
        }
        ExpectContinue.accept(request);
        var reading = new BodyReader(context);
        context.put(CONTEXT_KEY, reading);
        return reading.begin();
    }

    /** Releases the bytes of a body that has been forwarded. */
    void release(RoutingContext context) {
        if (context.get(CONTEXT_KEY) instanceof BodyReader reading) {
            reading.release();
        }
    }

    private boolean exceedsLimit(String length) {
        try {
            return length != null && Long.parseLong(length) > maxBytes;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private CallRejectedException tooLarge() {
        return new CallRejectedException(413, "Request body larger than " + maxBytes + " bytes (rate-limit.llm.max-body-size)");
    }

    /** Body being received. */
    private final class BodyReader {

        private final HttpServerRequest request;
        private Promise<Buffer> result = Promise.promise();
        private Buffer body = Buffer.buffer();
        private long timer = -1;
        private int bytesAtLastCheck;
        private long reserved;

        BodyReader(RoutingContext context) {
            this.request = context.request();
            context.addEndHandler(end -> release());
        }

        Future<Buffer> begin() {
            request.handler(this::append);
            request.exceptionHandler(this::onFailure);
            request.endHandler(end -> result.tryComplete(body));
            timer = vertx.setPeriodic(checkMillis, tick -> checkProgress());
            request.resume();
            return result.future().onComplete(done -> vertx.cancelTimer(timer));
        }

        private void onFailure(Throwable failure) {
            if (MalformedBody.isCauseOf(request, failure)) {
                request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
                reject(new CallRejectedException(400, "The chunked encoding of the body is malformed"));
            } else {
                LOG.debug("Client aborted its request", failure);
            }
        }

        private void append(Buffer chunk) {
            if (body.length() + chunk.length() > maxBytes) {
                reject(tooLarge());
                return;
            }
            reserved += chunk.length();
            if (heldBytes.addAndGet(chunk.length()) > maxTotalBytes && heldBytes.get() > reserved) {
                reject(new CallRejectedException(503, "Too many large request bodies in flight; try again later"));
                release();
                return;
            }
            body.appendBuffer(chunk);
        }

        private void checkProgress() {
            if (body.length() - bytesAtLastCheck < BYTES_PER_SECOND * checkMillis / 1000) {
                if (request.version() != HttpVersion.HTTP_2) {
                    request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // do not wait for the rest
                }
                reject(new CallRejectedException(408, "Request body not received in time"));
            }
            bytesAtLastCheck = body.length();
        }

        private void reject(CallRejectedException rejection) {
            request.handler(null);
            request.endHandler(null);
            result.tryFail(rejection);
        }

        private void release() {
            heldBytes.addAndGet(-reserved);
            reserved = 0;
            vertx.cancelTimer(timer);
            body = Buffer.buffer(); // the handlers of the request refer to this reader until the response has ended
            result = Promise.promise();
        }
    }
}
