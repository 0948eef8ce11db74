package dev.sluice.service.llm;

import org.jboss.logging.Logger;
import org.jboss.logging.Logger.Level;

import dev.sluice.identity.RejectedCredential;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.edge.ResponseAbort;
import dev.sluice.service.llm.models.ModelListFilter;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/**
 * One request to the LLM gateway: its admission, and then its way to the provider and back, all on the event loop of the request. A
 * step that fails ends the request in {@link #fail}.
 */
final class LlmExchange {

    private static final Logger LOG = Logger.getLogger(LlmExchange.class);

    private final LlmGatewayServices services;
    private final RoutingContext context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Provider provider;
    /** Path from the version on. */
    private final String path;
    private final CallAdmission admission;

    LlmExchange(LlmGatewayServices services, RoutingContext context, Provider provider, String path) {
        this.services = services;
        this.context = context;
        this.request = context.request();
        this.response = context.response();
        this.provider = provider;
        this.path = path;
        this.admission = new CallAdmission(services, context, provider, path);
    }

    void begin() {
        if (Cors.isPreflight(request)) {
            services.cors().answerPreflight(context);
            return;
        }
        request.pause();
        admission.admit().compose(admitted -> forward()).onFailure(this::fail);
    }

    private Future<Void> forward() {
        var parsed = admission.parsed();
        var operation = admission.operation();
        var caller = admission.caller();
        boolean askUsage = services.providers().config(provider).askUsage();
        boolean usageRequested = askUsage && parsed != null && parsed.streaming() && operation.shape().requestsUsage()
                && !parsed.usageRequested();
        MultiMap headers;
        String target;
        try {
            headers = services.providerHeaders().forRequest(request, provider, caller,
                    usageRequested || admission.filtersModels());
            target = RequestPath.toAscii(path) + services.providerHeaders().forwardedQuery(request, provider, caller);
        } catch (IllegalArgumentException e) { // HTTP/2 allows characters that are invalid in HTTP/1
            throw new CallRejectedException(400, "The request contains an invalid character", e);
        }
        var body = parsed == null ? null : askUsage ? parsed.bodyWithUsage() : parsed.body();
        var listener = new MeteredResponse(meter(usageRequested), response.headers(),
                services.drainMillis(), this::releaseBody, this::onStatus);
        services.upstreams().forward(provider, context, target, headers, body, listener);
        return admission.recorder().onSent(admission.admitted(), listener.settled());
    }

    private UsageMeter meter(boolean usageRequested) {
        var operation = admission.operation();
        if (operation.kind() == Kind.STORED) {
            return new StoredResponseMeter(services.deferredCalls(), provider,
                    ProviderOperation.storedResponse(admission.operationPath()), request.method() == HttpMethod.DELETE);
        }
        var owner = admission.caller().ownKey() ? null : admission.identifier();
        return new UsageMeter(admission.admitted(), operation, usageRequested,
                services.deferredCalls().onCreated(owner, operation, admission.parsed()),
                admission.filtersModels() ? new ModelListFilter(admission::allows) : null);
    }

    private void onStatus(int status) {
        if (UsageMeter.isSuccess(status)) {
            acceptKey();
        } else if (status == 401 && admission.caller().ownKey()) {
            services.credentialFailures().countRejected(RejectedCredential.PROVIDER_KEY_REFUSED);
        }
    }

    /**
     * Records that the provider has accepted the caller's own key. Only calls prove a key: some providers list models, or answer
     * OPTIONS, without one.
     */
    private void acceptKey() {
        var key = admission.caller().identityKey();
        if (admission.admitted() != null && key != null) {
            services.provenKeys().prove(key);
            admission.admitted().bookFor(key.identity().identifier(), key.identity().chain());
        }
    }

    /** Releases the buffered body; the response may be streamed for a long time. */
    private void releaseBody() {
        admission.releaseBody();
        services.bodyBuffer().release(context);
    }

    /** Releases the reservation, unless the call has been settled, and responds with the error. */
    private void fail(Throwable failure) {
        if (admission.admitted() != null) {
            admission.admitted().release(false);
        }
        if (failure instanceof ClientDisconnectedException) {
            return;
        }
        var rejection = CallRejectedException.of(failure);
        LOG.log(rejection.status() == 500 ? Level.ERROR : Level.DEBUG, "LLM call failed", failure);
        if (response.closed() || response.ended()) {
            return;
        }
        if (response.headWritten()) {
            ResponseAbort.abort(request);
            return;
        }
        if (!request.isEnded()) {
            request.resume(); // discard the rest of the body
        }
        ProviderErrors.send(context, provider, rejection);
    }
}
