package dev.sluice.service.llm;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.RequestRateLimiter;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.InvalidRequestBodyException;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.gateway.UpstreamGateway;
import dev.sluice.service.llm.LlmCallerResolver.LlmCaller;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Reverse proxy to the LLM providers: {@code /openai/v1/…}, {@code /anthropic/v1/…}, {@code /gemini/v1beta/…}. Every official
 * SDK can use it as its base URL.
 */
@ApplicationScoped
class LlmGateway {

    private static final Logger LOG = Logger.getLogger(LlmGateway.class);
    /** Before {@code UpstreamGateway}. */
    private static final int ORDER = -60;

    private final LlmCallerResolver callerResolver;
    private final LlmLimiter limiter;
    private final ProviderConnections connections;
    private final ProviderHeaders headers;
    private final RequestRateLimiter rateLimiter;
    private final RateLimitHeaders rateLimitHeaders;
    private final Vertx vertx;
    private final ProviderExchange.Timeouts timeouts;
    private final RequestBodyBuffer bodyBuffer;

    LlmGateway(LlmCallerResolver callerResolver, LlmLimiter limiter, ProviderConnections connections, ProviderHeaders headers,
            RequestBodyBuffer bodyBuffer,
            RequestRateLimiter rateLimiter, RateLimitHeaders rateLimitHeaders, Vertx vertx, LlmConfig settings) {
        this.callerResolver = callerResolver;
        this.limiter = limiter;
        this.connections = connections;
        this.headers = headers;
        this.rateLimiter = rateLimiter;
        this.rateLimitHeaders = rateLimitHeaders;
        this.vertx = vertx;
        this.timeouts = new ProviderExchange.Timeouts(settings.drainTimeout().toMillis(), settings.timeout().toMillis());
        this.bodyBuffer = bodyBuffer;
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        var path = context.request().path();
        var provider = path == null ? null : provider(path);
        if (provider == null) {
            context.next();
            return;
        }
        var rest = path.substring(provider.id().length() + 1);
        if (provider.version(rest) == null) {
            reject(context, provider, 404, "Unknown path: paths of this provider must begin with /" + provider.id()
                    + provider.version());
            return;
        }
        context.request().pause();
        var call = new IncomingCall(context, provider, rest,
                ProviderOperation.of(provider, context.request().method().name(), rest));
        if (UpstreamGateway.isPreflight(context.request())) {
            forward(call, null, null, null);
            return;
        }
        var loop = vertx.getOrCreateContext(); // a token may be verified on another thread
        callerResolver.resolve(context, provider).emitOn(task -> loop.runOnContext(now -> task.run())).subscribe()
                .with(caller -> runGuarded(call, null, () -> onCaller(call, caller)),
                        failure -> onCallerFailure(call, failure));
    }

    /** Request received by the gateway. */
    private record IncomingCall(RoutingContext context, Provider provider, String path, ProviderOperation operation) {

        boolean isCounted() {
            return operation.kind() == Kind.CALL
                    || operation.kind() == Kind.UNKNOWN && context.request().method() == HttpMethod.POST;
        }
    }

    private static Provider provider(String path) {
        int end = path.indexOf('/', 1);
        return end < 0 ? null : Provider.of(path.substring(1, end));
    }

    /** Runs an action; if it fails, responds with an error and releases the reservation. */
    private static void runGuarded(IncomingCall call, AdmittedCall admitted, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException | Error e) {
            if (admitted != null) {
                admitted.release(false);
            }
            if (call.context().response().headWritten() || call.context().response().closed()) {
                LOG.error("LLM call failed", e);
            } else if (e instanceof IllegalArgumentException) {
                // HTTP/2 allows characters that are invalid in HTTP/1
                LOG.debug("LLM call cannot be forwarded", e);
                reject(call.context(), call.provider(), 400, "The request contains an invalid character");
            } else {
                LOG.error("LLM call failed", e);
                reject(call.context(), call.provider(), 500, "Internal error");
            }
        }
    }

    private void onCaller(IncomingCall call, LlmCaller caller) {
        var context = call.context();
        if (context.response().closed()) {
            return;
        }
        if (caller.key() == null) {
            reject(context, call.provider(), 401,
                    "No API key is configured for " + call.provider().id() + ": set RATE_LIMIT_LLM_"
                            + call.provider().name() + "_API_KEY");
        } else if (call.operation().kind() == Kind.UNKNOWN && !caller.ownKey()
                && !connections.isOpen(call.provider(), call.path())) {
            reject(context, call.provider(), 403, "This path is not allowed with Sluice's key: add it to rate-limit.llm."
                    + call.provider().id() + ".paths");
        } else if (ProviderConnections.escapesPath(call.path())) {
            reject(context, call.provider(), 400, "The path must not contain empty or dot segments");
        } else if (ProviderHeaders.changesMethodOrHidesUsage(context.request(), call.provider(), caller)) {
            reject(context, call.provider(), 400,
                    "Query parameters and field masks must not change the method or hide the usage");
        } else if (call.operation().kind() == Kind.CALL) {
            readBody(call, caller);
        } else if (call.isCounted()) {
            admit(call, caller,
                    new LlmCallEstimate(call.provider(), caller.caller().identity().identifier(), caller.caller().tier(), "",
                            0, 0),
                    null);
        } else {
            forward(call, caller, null, null);
        }
    }

    private void onCallerFailure(IncomingCall call, Throwable failure) {
        if (!(failure instanceof CredentialsRejectedException)) {
            LOG.error("Caller resolution failed", failure);
            reject(call.context(), call.provider(), 500, "Internal error");
            return;
        }
        rateLimiter.rejectCredentials(call.context(), failure.getMessage()).subscribe().with(admission -> {
            call.context().request().resume();
            ProviderErrors.send(call.context(), call.provider(), admission.error());
        }, error -> reject(call.context(), call.provider(), 500, "Internal error"));
    }

    /** Reads the body, which determines the requested operation. */
    private void readBody(IncomingCall call, LlmCaller caller) {
        bodyBuffer.read(call.context()).onSuccess(body -> runGuarded(call, null, () -> onBody(call, caller, body)))
                .onFailure(failure -> {
                    if (failure instanceof RequestBodyBuffer.BodyRejectedException rejection) {
                        reject(call.context(), call.provider(), rejection.status(), rejection.getMessage());
                    } else {
                        LOG.error("Reading a request body failed", failure);
                        reject(call.context(), call.provider(), 500, "Internal error");
                    }
                });
    }

    private void onBody(IncomingCall call, LlmCaller caller, Buffer body) {
        LlmRequest parsed;
        try {
            parsed = LlmRequestParser.parse(call.provider(), call.operation(), body);
        } catch (InvalidRequestBodyException e) {
            reject(call.context(), call.provider(), 400, e.getMessage());
            return;
        }
        long output = parsed.maxOutputTokens() < 0 ? -1 : parsed.maxOutputTokens() * parsed.choices();
        admit(call, caller,
                new LlmCallEstimate(call.provider(), caller.caller().identity().identifier(), caller.caller().tier(),
                        parsed.model(), parsed.estimatedInputTokens(), output),
                parsed);
    }

    /** @param parsed null if the body is not parsed */
    private void admit(IncomingCall call, LlmCaller caller, LlmCallEstimate estimate, LlmRequest parsed) {
        limiter.admit(estimate).subscribe()
                .with(admitted -> runGuarded(call, admitted.decision().allowed() ? admitted : null, () -> {
                    var context = call.context();
                    rateLimitHeaders.write(context.response().headers(), admitted.decision());
                    if (!admitted.decision().allowed()) {
                        context.request().resume();
                        ProviderErrors.sendDenial(context, admitted);
                    } else if (context.response().closed()) {
                        admitted.release(false);
                    } else {
                        forward(call, caller, admitted, parsed);
                    }
                }), failure -> {
                    if (failure instanceof StoreUnavailableException) {
                        call.context().request().resume();
                        ProviderErrors.send(call.context(), call.provider(), ErrorResponse.storeUnavailable());
                    } else {
                        LOG.error("LLM decision failed", failure);
                        reject(call.context(), call.provider(), 500, "Internal error");
                    }
                });
    }

    /**
     * @param caller null for none
     * @param admitted null if the call is not counted
     * @param parsed null if the body is not parsed but streamed
     */
    private void forward(IncomingCall call, LlmCaller caller, AdmittedCall admitted, LlmRequest parsed) {
        var request = call.context().request();
        boolean usageRequested = parsed != null && parsed.streaming()
                && call.operation().shape() == ProviderOperation.Shape.CHAT
                && !parsed.usageRequested();
        var operation = parsed == null
                ? call.operation()
                : new ProviderOperation(call.operation().kind(), call.operation().shape(), parsed.model(), parsed.streaming());
        var body = parsed == null
                ? null
                : usageRequested ? LlmRequestParser.withUsageRequested(operation, parsed) : parsed.body();
        var forwardedHeaders = headers.forRequest(request, call.provider(), caller, usageRequested);
        var exchange = new ProviderExchange(vertx, call.context(), call.provider(), operation, admitted, usageRequested,
                timeouts);
        connections
                .request(call.provider(), request.method(),
                        RequestPath.toAscii(call.path()) + headers.forwardedQuery(request, caller))
                .onSuccess(providerRequest -> runGuarded(call, admitted, () -> {
                    addAll(providerRequest, forwardedHeaders);
                    if (!exchange.begin(providerRequest)) {
                        return;
                    }
                    if (body != null) {
                        providerRequest.end(body).onComplete(sent -> bodyBuffer.release(call.context()));
                    } else if (caller != null && exchange.hasBody()) {
                        exchange.stream();
                    } else {
                        request.resume();
                        providerRequest.end();
                    }
                })).onFailure(exchange::onProviderFailure);
    }

    private static void addAll(HttpClientRequest providerRequest, MultiMap headers) {
        try {
            providerRequest.headers().addAll(headers);
        } catch (IllegalArgumentException e) {
            providerRequest.reset();
            throw e;
        }
    }

    private static void reject(RoutingContext context, Provider provider, int status, String message) {
        context.request().resume(); // discard the rest of the body
        ProviderErrors.send(context, provider, status, message);
    }
}
