package dev.sluice.service.llm.body;

import java.util.function.Function;

import org.jboss.logging.Logger;

import dev.sluice.service.edge.LoopTimer;
import dev.sluice.service.edge.MalformedBody;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/** Receives, decodes and parses the body of one request. Runs on its event loop, except what {@link #decodeAndParse} does. */
final class BodyReader extends LoopTimer.Timed {

    /**
     * @param maxBytes maximum size of a body, before and after decoding
     * @param checkMillis interval at which the transfer rate is checked
     */
    record Limits(int maxBytes, long checkMillis) {
    }

    private static final Logger LOG = Logger.getLogger(BodyReader.class);
    /** Minimum transfer rate; a slower body is rejected. */
    private static final long BYTES_PER_SECOND = 1024;
    /** A body that is not larger is parsed on the event loop, in well below a millisecond. */
    private static final int MAX_BYTES_ON_LOOP = 64 << 10;

    private final LoopTimer timer;
    private final Context loopContext;
    private final BodyWorkers workers;
    private final Limits limits;
    private final HttpServerRequest request;
    private final ContentCodings codings;
    private final HeldBytes.Share held;
    private Promise<Void> received = Promise.promise();
    private BodyAccumulator body;
    private long checkedAt;
    private int lengthAtLastCheck;
    /** True while a worker uses the body, so that its memory cannot be released yet. */
    private boolean working;
    private volatile boolean released;

    /** @param expectedLength length of the body as received; -1 if it is unknown */
    BodyReader(LoopTimer timer, BodyWorkers workers, Limits limits, RoutingContext context, ContentCodings codings,
            HeldBytes.Share held, long expectedLength) {
        this.timer = timer;
        this.loopContext = Vertx.currentContext();
        this.workers = workers;
        this.limits = limits;
        this.request = context.request();
        this.codings = codings;
        this.held = held;
        this.body = new BodyAccumulator(held, expectedLength);
        context.addEndHandler(end -> release());
    }

    /** @param parser may run on any thread */
    <T> Future<T> read(Function<Buffer, T> parser) {
        request.handler(this::append);
        request.exceptionHandler(this::onFailure);
        request.endHandler(end -> received.tryComplete());
        timer.register(this);
        checkedAt = timer.now();
        request.resume();
        return received.future().onComplete(done -> timer.unregister(this)).compose(done -> parse(parser));
    }

    private void onFailure(Throwable failure) {
        if (MalformedBody.isCauseOf(request, failure)) {
            request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            reject(new BodyRejectedException(400, "The chunked encoding of the body is malformed"));
        } else {
            LOG.debug("Client aborted its request", failure);
        }
    }

    private void append(Buffer chunk) {
        try {
            if ((long) body.length() + chunk.length() > limits.maxBytes()) {
                throw LimitedInputStream.tooLarge(limits.maxBytes());
            }
            body.append(chunk);
        } catch (BodyRejectedException e) {
            reject(e);
            release();
        }
    }

    @Override
    protected void onTick(long now) {
        if (now - checkedAt >= limits.checkMillis()) {
            checkedAt = now;
            loopContext.runOnContext(late -> checkProgress());
        }
    }

    private void checkProgress() {
        if (received.future().isComplete()) {
            return;
        }
        if (body.length() - lengthAtLastCheck < BYTES_PER_SECOND * limits.checkMillis() / 1000) {
            if (request.version() != HttpVersion.HTTP_2) {
                request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE); // do not wait for the rest
            }
            reject(new BodyRejectedException(408, "Request body not received in time"));
        }
        lengthAtLastCheck = body.length();
    }

    private void reject(BodyRejectedException rejection) {
        request.handler(null);
        request.endHandler(null);
        received.tryFail(rejection);
    }

    private <T> Future<T> parse(Function<Buffer, T> parser) {
        if (codings.isEmpty() && body.length() <= MAX_BYTES_ON_LOOP) {
            return Future.succeededFuture(parser.apply(body.toBuffer()));
        }
        working = true;
        return workers.run(() -> decodeAndParse(parser)).onComplete(done -> {
            working = false;
            if (released) {
                release();
            }
        });
    }

    private <T> T decodeAndParse(Function<Buffer, T> parser) {
        if (released) {
            throw new BodyRejectedException(400, "The client has disconnected");
        }
        var decoded = codings.isEmpty() ? body : codings.decode(body, held, limits.maxBytes());
        return parser.apply(decoded.toBuffer());
    }

    /** Releases the memory, as soon as no worker uses it. */
    void release() {
        released = true;
        if (!working) {
            held.clear();
            timer.unregister(this);
            body = new BodyAccumulator(held, -1); // the handlers of the request refer to this reader until the response has ended
            received = Promise.promise();
        }
    }
}
