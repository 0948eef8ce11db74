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
 * One call to a provider. Streams the response to the caller and extracts token usage on the way. If the caller disconnects,
 * the response is still read for its usage, up to the drain timeout.
 */
final class ProviderExchange {

    /**
     * Timeouts of an exchange.
     *
     * @param drainMillis maximum time to read a response after the caller has disconnected
     * @param idleMillis maximum time between two chunks of a response
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
    /** True if the provider has sent something since the last check. */
    private boolean receivedSinceCheck;
    private boolean paused;
    private boolean callerGone;
    private boolean ended;

    /**
     * @param call null if the call is not counted
     * @param stripUsage whether Sluice requested usage that the caller did not request
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

    /**
     * Starts the exchange on an established connection.
     *
     * @return whether the caller is still connected
     */
    boolean begin(HttpClientRequest begun) {
        providerRequest = begun.exceptionHandler(failure -> body.discard()); // reported through the response future
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
        providerRequest.response().onSuccess(started -> runGuarded(() -> onResponse(started)))
                .onFailure(this::onProviderFailure);
        if (clientResponse.closed()) {
            onCallerGone(); // disconnected in the meantime
        }
        return true;
    }

    /** Returns whether the request has a body. */
    boolean hasBody() {
        return body.isExpected();
    }

    /** Streams the body of the caller to the provider. */
    void stream() {
        body.sendTo(providerRequest, this::onCallerGone);
    }

    /** Handles a provider that cannot be reached or does not respond. */
    void onProviderFailure(Throwable failure) {
        LOG.debug("Provider call failed", failure);
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
                    late ? "The provider did not respond in time" : "The provider cannot be reached");
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
                clientResponse.writeHead(); // send the header section before the first byte of the stream
            }
        }
    }

    /** Runs a handler; if it fails, settles and ends the call. Vert.x would only log the failure. */
    private void runGuarded(Runnable handler) {
        try {
            handler.run();
        } catch (RuntimeException | Error e) {
            LOG.error("LLM call failed", e);
            abandon(e);
        }
    }

    private void abandon(Throwable fault) {
        ended = true;
        cancelTimers();
        if (call != null) {
            int status = providerResponse == null ? 0 : providerResponse.statusCode();
            if (status >= 200 && status < 300) {
                call.settleEstimated(call.estimatedUsage()); // the provider has responded and will charge for it
            } else {
                call.release(false);
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
            ProviderErrors.send(context, provider, 500, "Internal error");
        }
    }

    private void checkIdle() {
        if (!receivedSinceCheck && !paused && !ended) {
            var late = new TimeoutException("No data from the provider within the timeout");
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
        if (usageExtractor != null && !operation.streaming() && usageExtractor.isComplete()) {
            settle(); // before the caller receives the end of the response
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
                body.discard(); // the provider responded without reading it
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

    /** Aborts the response, because the provider aborted its own: the caller must not take it for complete. */
    private void onResponseAborted(Throwable failure) {
        if (ended) {
            return;
        }
        LOG.debug("Provider aborted its response", failure);
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
            return; // not counted, or already settled as failed
        }
        if (usageExtractor == null) {
            call.settleEstimated(call.estimatedUsage());
            return;
        }
        try {
            call.settle(usageExtractor);
        } catch (RuntimeException | Error e) {
            LOG.error("Usage of a response could not be extracted; the estimate is recorded", e);
        }
    }

    private void failed(boolean limited) {
        if (call != null) {
            call.release(limited);
        }
    }
}
