package dev.sluice.service.llm;

import java.util.function.IntConsumer;

import dev.sluice.service.proxy.ExchangeListener;
import dev.sluice.service.proxy.connection.UpstreamException;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;

/**
 * Meters the usage of a provider's response while it is forwarded. If the client disconnects, the response is still read for its
 * usage, up to the drain timeout.
 */
final class MeteredResponse implements ExchangeListener {

    private final UsageMeter meter;
    private final MultiMap ownHeaders;
    private final long drainMillis;
    private final Runnable onRequestSent;
    private final IntConsumer onStatus;
    private final Promise<Void> settled = Promise.promise();
    private int status;
    private boolean sent;

    /**
     * @param ownHeaders headers that Sluice has written to the response
     * @param onRequestSent runs when the body of the request is no longer needed
     * @param onStatus receives the status of the response
     */
    MeteredResponse(UsageMeter meter, MultiMap ownHeaders, long drainMillis, Runnable onRequestSent,
            IntConsumer onStatus) {
        this.onStatus = onStatus;
        this.meter = meter;
        this.ownHeaders = ownHeaders;
        this.drainMillis = drainMillis;
        this.onRequestSent = onRequestSent;
    }

    /**
     * Completes when the response has ended and the call is settled; fails if an error response is due, or with
     * {@link ClientDisconnectedException} if the call is cancelled.
     */
    Future<Void> settled() {
        return settled.future();
    }

    @Override
    public void onRequestSent() {
        sent = true;
        onRequestSent.run();
    }

    @Override
    public void onResponse(int responseStatus, MultiMap headers) {
        status = responseStatus;
        onStatus.accept(status);
        ProviderHeaders.cleanResponse(headers, ownHeaders);
        meter.begin(status, headers);
    }

    @Override
    public Buffer onChunk(Buffer chunk) {
        meter.read(chunk);
        return meter.filter(chunk);
    }

    @Override
    public Buffer onEnd() {
        meter.settle();
        return meter.rest();
    }

    @Override
    public void onComplete() {
        settled.tryComplete();
    }

    @Override
    public void onAborted() {
        meter.settle();
        settled.tryComplete();
    }

    @Override
    public void onUnread() {
        meter.settleUnread();
        settled.tryComplete();
    }

    @Override
    public void onFault() {
        meter.abandon(status);
        settled.tryComplete();
    }

    @Override
    public void onCancelled() {
        settled.tryFail(new ClientDisconnectedException());
    }

    @Override
    public long drainMillis() {
        return meter.isExpectingUsage() ? drainMillis : 0;
    }

    @Override
    public void onFailure(Throwable failure) {
        if (failure instanceof UpstreamException known) {
            if (status != 0 || sent && known.kind().isTimeout()) { // a provider bills a call that it goes on with
                meter.settle();
            }
            settled.tryFail(providerFailure(known));
        } else {
            meter.abandon(status);
            settled.tryFail(failure);
        }
    }

    private static CallRejectedException providerFailure(UpstreamException failure) {
        return switch (failure.kind()) {
            case RESPONSE_TIMEOUT, IDLE_TIMEOUT, SHUTDOWN ->
                new CallRejectedException(504, "The provider did not respond in time", failure);
            case NO_FREE_CONNECTION -> new CallRejectedException(503, "No free connection to the provider; try again later",
                    failure);
            case CLIENT_TIMEOUT -> new CallRejectedException(408, "Request body not received in time", failure);
            case INVALID_REQUEST -> new CallRejectedException(400, "The request body is malformed", failure);
            default -> new CallRejectedException(502, "The provider cannot be reached", failure);
        };
    }
}
