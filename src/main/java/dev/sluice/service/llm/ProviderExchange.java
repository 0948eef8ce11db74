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
    record Timeouts(long drainMillis, long idleMillis) {
    }

    private static final Logger LOG = Logger.getLogger(ProviderExchange.class);

    private final Vertx vertx;
    private final RoutingContext context;
    private final HttpServerResponse clientResponse;
    private final Provider provider;
    private final ProviderOperation operation;
    private final AdmittedCall call;
    private final boolean stripUsage;
    private final Timeouts timeouts;
    private final StreamedRequestBody body;
    private HttpClientRequest providerRequest;
    private HttpClientResponse providerResponse;
    private UsageExtractor usageExtractor;
    private UsageChunkFilter usageChunkFilter;
    private long drainTimer = -1;
    private long idleTimer = -1;
    /** The provider has sent something since somebody looked. */
    private boolean receivedSinceCheck;
    private boolean paused;
    private boolean callerGone;
    private boolean ended;

    /**
     * @param call null where nothing is counted
     * @param stripUsage whether Sluice asked for usage that the caller did not ask for
     */
    ProviderExchange(Vertx vertx, RoutingContext context, Provider provider, ProviderOperation operation, AdmittedCall call,
            boolean stripUsage,
            Timeouts timeouts) {
        this.vertx = vertx;
        this.context = context;
        this.clientResponse = context.response();
        this.provider = provider;
        this.operation = operation;
        this.call = call;
        this.stripUsage = stripUsage;
        this.timeouts = timeouts;
        this.body = new StreamedRequestBody(context.request());
    }

    /** The connection is there. @return whether the caller is there too */
    boolean begin(HttpClientRequest begun) {
        providerRequest = begun.exceptionHandler(failure -> body.discard()); // told of where the answer is waited for
        if (clientResponse.closed()) {
            providerRequest.reset();
            failed(false);
            return false;
        }
        context.addEndHandler(end -> {
            if (end.failed() || !clientResponse.ended()) {
                onCallerGone();
            }
        });
        providerRequest.response().onSuccess(started -> runGuarded(() -> onResponse(started))).onFailure(this::onProviderFailure);
        if (clientResponse.closed()) {
            onCallerGone(); // while that was asked for
        }
        return true;
    }

    /** Whether a body comes behind the head. */
    boolean hasBody() {
        return body.isExpected();
    }

    /** Sends the caller's body on as it comes. */
    void stream() {
        body.sendTo(providerRequest, this::onCallerGone);
    }

    /** The provider cannot be reached, or does not answer. */
    void onProviderFailure(Throwable failure) {
        LOG.debug("A provider failed a call", failure);
        if (ended) {
            return;
        }
        ended = true;
        cancelTimers();
        failed(false);
        if (!callerGone && !clientResponse.headWritten() && !clientResponse.closed()) {
            body.discard();
            boolean late = failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException;
            ProviderErrors.send(context, provider, late ? 504 : 502,
                    late ? "The provider did not answer in time" : "The provider cannot be reached");
        }
    }

    private void onResponse(HttpClientResponse begun) {
        providerResponse = begun;
        int status = providerResponse.statusCode();
        boolean ok = status >= 200 && status < 300;
        if (!ok) {
            failed(status == 429);
        }
        var headers = providerResponse.headers();
        ProviderHeaders.cleanResponse(headers, clientResponse.headers());
        if (ok && call != null) {
            usageExtractor = UsageExtractor.of(provider, operation.shape(), headers.get(HttpHeaders.CONTENT_TYPE),
                    headers.get(HttpHeaders.CONTENT_ENCODING));
            if (stripUsage && headers.get(HttpHeaders.CONTENT_ENCODING) == null) {
                usageChunkFilter = new UsageChunkFilter();
                headers.remove(HttpHeaders.CONTENT_LENGTH);
            }
        }
        providerResponse.exceptionHandler(this::onResponseAborted);
        providerResponse.endHandler(end -> runGuarded(this::onResponseEnd));
        idleTimer = vertx.setPeriodic(timeouts.idleMillis(), tick -> checkIdle());
        if (callerGone) {
            providerResponse.handler(chunk -> runGuarded(() -> read(chunk)));
            return;
        }
        clientResponse.setStatusCode(status).setStatusMessage(providerResponse.statusMessage());
        clientResponse.headers().addAll(headers);
        providerResponse.handler(chunk -> runGuarded(() -> pass(chunk)));
        boolean bodiless = context.request().method() == HttpMethod.HEAD || status == 204 || status == 304;
        if (!bodiless && !headers.contains(HttpHeaders.CONTENT_LENGTH)) {
            if (context.request().version() != HttpVersion.HTTP_1_0) {
                clientResponse.setChunked(true);
                clientResponse.writeHead(); // a stream has begun, whenever its first byte comes
            }
        }
    }

    /** Settles and ends the call whatever goes wrong in a handler: Vert.x would only log it. */
    private void runGuarded(Runnable handler) {
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
            int status = providerResponse == null ? 0 : providerResponse.statusCode();
            if (status >= 200 && status < 300) {
                call.estimated(call.estimate()); // the provider has answered, and wants to be paid
            } else {
                call.failed(false);
            }
        }
        providerRequest.reset(0, fault);
        if (callerGone || clientResponse.ended() || clientResponse.closed()) {
            return;
        }
        callerGone = true;
        body.discard();
        if (clientResponse.headWritten()) {
            AbortableResponse.abort(context.request());
        } else {
            clientResponse.setChunked(false);
            clientResponse.headers().clear();
            ProviderErrors.send(context, provider, 500, "Something went wrong inside");
        }
    }

    private void checkIdle() {
        if (!receivedSinceCheck && !paused && !ended) {
            var late = new TimeoutException("The provider fell silent");
            providerRequest.reset(0, late);
            onResponseAborted(late);
        }
        receivedSinceCheck = false;
    }

    private void cancelTimers() {
        vertx.cancelTimer(drainTimer);
        vertx.cancelTimer(idleTimer);
    }

    private void read(Buffer chunk) {
        receivedSinceCheck = true;
        if (usageExtractor != null) {
            usageExtractor.feed(chunk);
        }
    }

    private void pass(Buffer chunk) {
        read(chunk);
        if (usageExtractor != null && !operation.streaming() && usageExtractor.complete()) {
            settle(); // before the caller has it all
        }
        if (callerGone) {
            return;
        }
        var passing = usageChunkFilter == null ? chunk : usageChunkFilter.feed(chunk);
        if (passing.length() == 0) {
            return;
        }
        clientResponse.write(passing);
        if (clientResponse.writeQueueFull()) {
            paused = true;
            providerResponse.pause();
            clientResponse.drainHandler(drained -> resume());
        }
    }

    private void onResponseEnd() {
        if (ended) {
            return;
        }
        ended = true;
        cancelTimers();
        settle();
        if (!callerGone) {
            if (!body.isEnded()) {
                body.discard(); // the provider has not waited for it
                providerRequest.reset();
            }
            var rest = usageChunkFilter == null ? Buffer.buffer() : usageChunkFilter.end();
            if (rest.length() > 0) {
                clientResponse.end(rest);
            } else {
                clientResponse.end();
            }
        }
    }

    /** The provider broke off: so does the answer, so that the caller does not take it for whole. */
    private void onResponseAborted(Throwable failure) {
        if (ended) {
            return;
        }
        LOG.debug("A provider broke off its answer", failure);
        ended = true;
        cancelTimers();
        settle();
        if (!callerGone) {
            callerGone = true;
            AbortableResponse.abort(context.request());
        }
    }

    private void onCallerGone() {
        if (callerGone || ended) {
            return;
        }
        callerGone = true;
        boolean nothingToLearn = call == null || usageExtractor == null && providerResponse != null;
        if (nothingToLearn || !body.isEnded()) {
            ended = true;
            cancelTimers();
            failed(false);
            providerRequest.reset();
            return;
        }
        drainTimer = vertx.setTimer(timeouts.drainMillis(), late -> {
            if (!ended) {
                ended = true;
                cancelTimers();
                settle();
                providerRequest.reset();
            }
        });
        if (providerResponse != null) {
            resume();
        }
    }

    private void resume() {
        paused = false;
        receivedSinceCheck = true;
        providerResponse.resume();
    }

    private void settle() {
        if (call == null || usageExtractor == null && providerResponse != null) {
            return; // not counted, or told already that it failed
        }
        if (usageExtractor == null) {
            call.estimated(call.estimate());
            return;
        }
        try {
            call.settle(usageExtractor);
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
