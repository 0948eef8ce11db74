package dev.sluice.service.llm;

import java.util.concurrent.TimeoutException;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.UsageChunkFilter;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.service.edge.AbortableResponse;
import dev.sluice.service.edge.StreamedRequestBody;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * One call on its way to the provider and back. Its bytes pass as they come; what they tell of usage is read as they pass. A
 * caller that goes away is not waited for, but the provider's answer is read on for its usage.
 */
final class ProviderExchange {

    /**
     * How long is waited.
     *
     * @param drainMillis for the end of an answer that nobody waits for but Sluice
     * @param idleMillis between two parts of an answer
     */
    record Patience(long drainMillis, long idleMillis) {
    }

    private static final Logger LOG = Logger.getLogger(ProviderExchange.class);

    private final Vertx vertx;
    private final RoutingContext context;
    private final HttpServerResponse answer;
    private final Provider provider;
    private final ProviderOperation operation;
    private final AdmittedCall call;
    private final boolean strip;
    private final Patience patience;
    private final StreamedRequestBody body;
    private HttpClientRequest request;
    private HttpClientResponse response;
    private UsageExtractor reader;
    private UsageChunkFilter stripper;
    private long drainTimer = -1;
    private long idleTimer = -1;
    /** The provider has sent something since somebody looked. */
    private boolean heard;
    private boolean paused;
    private boolean gone;
    private boolean ended;

    /**
     * @param call null where nothing is counted
     * @param strip whether Sluice asked for usage that the caller did not ask for
     */
    ProviderExchange(Vertx vertx, RoutingContext context, Provider provider, ProviderOperation operation, AdmittedCall call,
            boolean strip,
            Patience patience) {
        this.vertx = vertx;
        this.context = context;
        this.answer = context.response();
        this.provider = provider;
        this.operation = operation;
        this.call = call;
        this.strip = strip;
        this.patience = patience;
        this.body = new StreamedRequestBody(context.request());
    }

    /** The connection is there. @return whether the caller is there too */
    boolean begin(HttpClientRequest begun) {
        request = begun.exceptionHandler(failure -> body.drop()); // told of where the answer is waited for
        if (answer.closed()) {
            request.reset();
            failed(false);
            return false;
        }
        context.addEndHandler(end -> {
            if (end.failed() || !answer.ended()) {
                callerGone();
            }
        });
        request.response().onSuccess(started -> guarded(() -> answered(started))).onFailure(this::broken);
        if (answer.closed()) {
            callerGone(); // while that was asked for
        }
        return true;
    }

    /** Whether a body comes behind the head. */
    boolean hasBody() {
        return body.expected();
    }

    /** Sends the caller's body on as it comes. */
    void stream() {
        body.sendTo(request, this::callerGone);
    }

    /** The provider cannot be reached, or does not answer. */
    void broken(Throwable failure) {
        LOG.debug("A provider failed a call", failure);
        if (ended) {
            return;
        }
        ended = true;
        cancelTimers();
        failed(false);
        if (!gone && !answer.headWritten() && !answer.closed()) {
            body.drop();
            boolean late = failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException;
            ProviderErrors.send(context, provider, late ? 504 : 502,
                    late ? "The provider did not answer in time" : "The provider cannot be reached");
        }
    }

    private void answered(HttpClientResponse begun) {
        response = begun;
        int status = response.statusCode();
        boolean ok = status >= 200 && status < 300;
        if (!ok) {
            failed(status == 429);
        }
        var headers = response.headers();
        ProviderHeaders.clean(headers, answer.headers());
        if (ok && call != null) {
            reader = UsageExtractor.of(provider, operation.shape(), headers.get(HttpHeaders.CONTENT_TYPE),
                    headers.get(HttpHeaders.CONTENT_ENCODING));
            if (strip && headers.get(HttpHeaders.CONTENT_ENCODING) == null) {
                stripper = new UsageChunkFilter();
                headers.remove(HttpHeaders.CONTENT_LENGTH);
            }
        }
        response.exceptionHandler(this::cut);
        response.endHandler(end -> guarded(this::finished));
        idleTimer = vertx.setPeriodic(patience.idleMillis(), tick -> lookWhetherHeard());
        if (gone) {
            response.handler(chunk -> guarded(() -> read(chunk)));
            return;
        }
        answer.setStatusCode(status).setStatusMessage(response.statusMessage());
        answer.headers().addAll(headers);
        response.handler(chunk -> guarded(() -> pass(chunk)));
        boolean bodiless = context.request().method() == HttpMethod.HEAD || status == 204 || status == 304;
        if (!bodiless && !headers.contains(HttpHeaders.CONTENT_LENGTH)) {
            if (context.request().version() != HttpVersion.HTTP_1_0) {
                answer.setChunked(true);
                answer.writeHead(); // a stream has begun, whenever its first byte comes
            }
        }
    }

    /** Settles and ends the call whatever goes wrong in a handler: Vert.x would only log it. */
    private void guarded(Runnable handler) {
        try {
            handler.run();
        } catch (RuntimeException | Error e) {
            LOG.error("A call failed inside", e);
            abandon(e);
        }
    }

    private void abandon(Throwable fault) {
        ended = true;
        cancelTimers();
        if (call != null) {
            int status = response == null ? 0 : response.statusCode();
            if (status >= 200 && status < 300) {
                call.estimated(call.estimate()); // the provider has answered, and wants to be paid
            } else {
                call.failed(false);
            }
        }
        request.reset(0, fault);
        if (gone || answer.ended() || answer.closed()) {
            return;
        }
        gone = true;
        body.drop();
        if (answer.headWritten()) {
            AbortableResponse.cut(context.request());
        } else {
            answer.setChunked(false);
            answer.headers().clear();
            ProviderErrors.send(context, provider, 500, "Something went wrong inside");
        }
    }

    private void lookWhetherHeard() {
        if (!heard && !paused && !ended) {
            var late = new TimeoutException("The provider fell silent");
            request.reset(0, late);
            cut(late);
        }
        heard = false;
    }

    private void cancelTimers() {
        vertx.cancelTimer(drainTimer);
        vertx.cancelTimer(idleTimer);
    }

    private void read(Buffer chunk) {
        heard = true;
        if (reader != null) {
            reader.feed(chunk);
        }
    }

    private void pass(Buffer chunk) {
        read(chunk);
        if (reader != null && !operation.streaming() && reader.complete()) {
            book(); // before the caller has it all
        }
        if (gone) {
            return;
        }
        var passing = stripper == null ? chunk : stripper.feed(chunk);
        if (passing.length() == 0) {
            return;
        }
        answer.write(passing);
        if (answer.writeQueueFull()) {
            paused = true;
            response.pause();
            answer.drainHandler(drained -> resume());
        }
    }

    private void finished() {
        if (ended) {
            return;
        }
        ended = true;
        cancelTimers();
        book();
        if (!gone) {
            if (!body.ended()) {
                body.drop(); // the provider has not waited for it
                request.reset();
            }
            var rest = stripper == null ? Buffer.buffer() : stripper.end();
            if (rest.length() > 0) {
                answer.end(rest);
            } else {
                answer.end();
            }
        }
    }

    /** The provider broke off: so does the answer, so that the caller does not take it for whole. */
    private void cut(Throwable failure) {
        if (ended) {
            return;
        }
        LOG.debug("A provider broke off its answer", failure);
        ended = true;
        cancelTimers();
        book();
        if (!gone) {
            gone = true;
            AbortableResponse.cut(context.request());
        }
    }

    private void callerGone() {
        if (gone || ended) {
            return;
        }
        gone = true;
        boolean nothingToLearn = call == null || reader == null && response != null;
        if (nothingToLearn || !body.ended()) {
            ended = true;
            cancelTimers();
            failed(false);
            request.reset();
            return;
        }
        drainTimer = vertx.setTimer(patience.drainMillis(), late -> {
            if (!ended) {
                ended = true;
                cancelTimers();
                book();
                request.reset();
            }
        });
        if (response != null) {
            resume();
        }
    }

    private void resume() {
        paused = false;
        heard = true;
        response.resume();
    }

    private void book() {
        if (call == null || reader == null && response != null) {
            return; // not counted, or told already that it failed
        }
        if (reader == null) {
            call.estimated(call.estimate());
            return;
        }
        try {
            call.settle(reader);
        } catch (RuntimeException | Error e) {
            LOG.error("The usage of an answer could not be read, its estimate is booked", e);
        }
    }

    private void failed(boolean limited) {
        if (call != null) {
            call.failed(limited);
        }
    }
}
