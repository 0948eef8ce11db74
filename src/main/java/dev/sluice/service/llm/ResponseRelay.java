package dev.sluice.service.llm;

import java.util.concurrent.TimeoutException;

import org.jboss.logging.Logger;

import dev.sluice.service.edge.AbortableResponse;
import dev.sluice.service.edge.StreamedRequestBody;
import io.vertx.core.Future;
import io.vertx.core.Promise;
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
 * Streams the response of a provider to the client with backpressure, and meters its usage. If the client disconnects, the
 * response is still read for its usage, up to the drain timeout.
 */
final class ResponseRelay {

    /**
     * @param drainMillis maximum time to read a response after the client has disconnected
     * @param idleMillis maximum time between two chunks of a response
     */
    record Timeouts(long drainMillis, long idleMillis) {
    }

    private static final Logger LOG = Logger.getLogger(ResponseRelay.class);

    private final Vertx vertx;
    private final Timeouts timeouts;
    private final RoutingContext context;
    private final HttpServerResponse clientResponse;
    private final StreamedRequestBody body;
    private final UsageMeter meter;
    private final Promise<Void> relayed = Promise.promise();
    private HttpClientRequest providerRequest;
    private HttpClientResponse providerResponse;
    private long drainTimer = -1;
    private long idleTimer = -1;
    /** True if the provider has sent something since the last check. */
    private boolean receivedSinceCheck;
    private boolean paused;
    private boolean clientGone;
    private boolean ended;

    /** @param body body of the client's request */
    ResponseRelay(Vertx vertx, Timeouts timeouts, RoutingContext context, StreamedRequestBody body, UsageMeter meter) {
        this.vertx = vertx;
        this.timeouts = timeouts;
        this.context = context;
        this.clientResponse = context.response();
        this.body = body;
        this.meter = meter;
    }

    /**
     * Waits for the response to a request that has not been sent yet.
     *
     * @return completes when the response has ended and the call is settled; fails if an error response is due, or with
     *         {@link ClientDisconnectedException} if the call is cancelled
     */
    Future<Void> begin(HttpClientRequest unsent) {
        providerRequest = unsent.exceptionHandler(failure -> body.discard()); // reported through the response future
        context.addEndHandler(end -> {
            if (end.failed() || !clientResponse.ended()) {
                onClientGone();
            }
        });
        providerRequest.response().onSuccess(response -> runGuarded(() -> onResponse(response)))
                .onFailure(this::onProviderFailure);
        if (clientResponse.closed()) {
            cancel();
        }
        return relayed.future();
    }

    /** Returns the error for a provider that cannot be reached or does not respond. */
    static CallRejectedException providerFailure(Throwable failure) {
        return failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException
                ? new CallRejectedException(504, "The provider did not respond in time", failure)
                : new CallRejectedException(502, "The provider cannot be reached", failure);
    }

    private void onProviderFailure(Throwable failure) {
        if (!ended) {
            end();
            relayed.tryFail(providerFailure(failure));
        }
    }

    private void onResponse(HttpClientResponse response) {
        if (ended) {
            return; // cancelled
        }
        providerResponse = response;
        int status = response.statusCode();
        var headers = response.headers();
        ProviderHeaders.cleanResponse(headers, clientResponse.headers());
        meter.begin(status, headers);
        response.exceptionHandler(this::onResponseAborted);
        response.endHandler(end -> runGuarded(this::onResponseEnd));
        response.handler(chunk -> runGuarded(() -> onChunk(chunk)));
        idleTimer = vertx.setPeriodic(timeouts.idleMillis(), tick -> checkIdle());
        if (clientGone) {
            return;
        }
        clientResponse.setStatusCode(status).setStatusMessage(response.statusMessage());
        clientResponse.headers().addAll(headers);
        boolean bodiless = context.request().method() == HttpMethod.HEAD || status == 204 || status == 304;
        if (!bodiless && !headers.contains(HttpHeaders.CONTENT_LENGTH)
                && context.request().version() != HttpVersion.HTTP_1_0) {
            clientResponse.setChunked(true);
            clientResponse.writeHead(); // send the header section before the first byte of the stream
        }
    }

    private void onChunk(Buffer chunk) {
        receivedSinceCheck = true;
        meter.read(chunk);
        if (clientGone || ended) {
            return;
        }
        var passing = meter.filter(chunk);
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

    private void resume() {
        paused = false;
        receivedSinceCheck = true;
        providerResponse.resume();
    }

    private void onResponseEnd() {
        if (ended) {
            return;
        }
        end();
        meter.settle();
        if (!clientGone) {
            if (!body.isEnded()) {
                body.discard(); // the provider responded without reading it
                providerRequest.reset();
            }
            var rest = meter.rest();
            if (rest.length() > 0) {
                clientResponse.end(rest);
            } else {
                clientResponse.end();
            }
        }
        relayed.tryComplete();
    }

    private void checkIdle() {
        if (!receivedSinceCheck && !paused && !ended) {
            var late = new TimeoutException("No data from the provider within the timeout");
            providerRequest.reset(0, late);
            onResponseAborted(late);
        }
        receivedSinceCheck = false;
    }

    /** Aborts the response, because the provider aborted its own: the client must not take it for complete. */
    private void onResponseAborted(Throwable failure) {
        if (ended) {
            return;
        }
        LOG.debug("Provider aborted its response", failure);
        end();
        meter.settle();
        if (!clientGone) {
            AbortableResponse.abort(context.request());
        }
        relayed.tryComplete();
    }

    /** Handles a client that has disconnected, or has aborted its request body. */
    void onClientGone() {
        if (clientGone || ended) {
            return;
        }
        clientGone = true;
        if (!meter.isExpectingUsage() || !body.isEnded()) {
            cancel();
            return;
        }
        drainTimer = vertx.setTimer(timeouts.drainMillis(), late -> onDrainTimeout());
        if (providerResponse != null) {
            resume();
        }
    }

    private void onDrainTimeout() {
        if (!ended) {
            end();
            meter.settle();
            providerRequest.reset();
            relayed.tryComplete();
        }
    }

    private void cancel() {
        end();
        providerRequest.reset();
        relayed.tryFail(new ClientDisconnectedException());
    }

    /** Runs a handler; if it fails, settles and fails the call. Vert.x would only log the failure. */
    private void runGuarded(Runnable handler) {
        try {
            handler.run();
        } catch (RuntimeException | Error e) {
            abandon(e);
        }
    }

    private void abandon(Throwable fault) {
        end();
        meter.abandon(providerResponse.statusCode());
        providerRequest.reset(0, fault);
        if (!clientResponse.headWritten() && !clientResponse.closed()) {
            clientResponse.setChunked(false).headers().clear(); // those of the provider
        }
        if (!relayed.tryFail(fault)) {
            LOG.error("A response handler failed after the call had ended", fault);
        }
    }

    private void end() {
        ended = true;
        vertx.cancelTimer(drainTimer);
        vertx.cancelTimer(idleTimer);
    }
}
