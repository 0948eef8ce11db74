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
 * The door to the providers of language models: {@code /openai/v1/…}, {@code /anthropic/v1/…}, {@code /gemini/v1beta/…}. Any
 * official SDK goes through it by its base URL.
 */
@ApplicationScoped
class LlmGateway {

    private static final Logger LOG = Logger.getLogger(LlmGateway.class);
    /** Before the gateway to the API. */
    private static final int ORDER = -60;

    private final LlmCallerResolver callers;
    private final LlmLimiter limiter;
    private final ProviderConnections upstreams;
    private final ProviderHeaders headers;
    private final RequestRateLimiter turnstile;
    private final RateLimitHeaders rateLimitHeaders;
    private final Vertx vertx;
    private final ProviderExchange.Patience patience;
    private final RequestBodyBuffer bodies;

    LlmGateway(LlmCallerResolver callers, LlmLimiter limiter, ProviderConnections upstreams, ProviderHeaders headers,
            RequestBodyBuffer bodies,
            RequestRateLimiter turnstile, RateLimitHeaders rateLimitHeaders, Vertx vertx, LlmConfig settings) {
        this.callers = callers;
        this.limiter = limiter;
        this.upstreams = upstreams;
        this.headers = headers;
        this.turnstile = turnstile;
        this.rateLimitHeaders = rateLimitHeaders;
        this.vertx = vertx;
        this.patience = new ProviderExchange.Patience(settings.drainTimeout().toMillis(), settings.timeout().toMillis());
        this.bodies = bodies;
    }

    void open(@Observes Router router) {
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
            refuse(context, provider, 404, "Unknown path: the paths of this provider begin with /" + provider.id()
                    + provider.version());
            return;
        }
        context.request().pause();
        var call = new Incoming(context, provider, rest,
                ProviderOperation.of(provider, context.request().method().name(), rest));
        if (UpstreamGateway.isPreflight(context.request())) {
            forward(call, null, null, null);
            return;
        }
        var loop = vertx.getOrCreateContext(); // a token may be verified elsewhere
        callers.of(context, provider).emitOn(task -> loop.runOnContext(now -> task.run())).subscribe()
                .with(caller -> guarded(call, null, () -> known(call, caller)), failure -> unknown(call, failure));
    }

    /** A request that has come in. */
    private record Incoming(RoutingContext context, Provider provider, String path, ProviderOperation operation) {

        boolean counted() {
            return operation.kind() == Kind.CALL
                    || operation.kind() == Kind.UNKNOWN && context.request().method() == HttpMethod.POST;
        }
    }

    private static Provider provider(String path) {
        int end = path.indexOf('/', 1);
        return end < 0 ? null : Provider.of(path.substring(1, end));
    }

    /** Whatever goes wrong in it is answered, and gives back what was reserved. */
    private static void guarded(Incoming call, AdmittedCall open, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException | Error e) {
            if (open != null) {
                open.failed(false);
            }
            if (call.context().response().headWritten() || call.context().response().closed()) {
                LOG.error("A call failed inside", e);
            } else if (e instanceof IllegalArgumentException) {
                // HTTP/2 carries characters that HTTP/1 has other uses for
                LOG.debug("A call cannot be forwarded", e);
                refuse(call.context(), call.provider(), 400, "The request has a character that none may have");
            } else {
                LOG.error("A call failed inside", e);
                refuse(call.context(), call.provider(), 500, "Something went wrong inside");
            }
        }
    }

    private void known(Incoming call, LlmCaller caller) {
        var context = call.context();
        if (context.response().closed()) {
            return;
        }
        if (caller.key() == null) {
            refuse(context, call.provider(), 401, "Sluice has no key for " + call.provider().id() + ": set RATE_LIMIT_LLM_"
                    + call.provider().name() + "_API_KEY");
        } else if (call.operation().kind() == Kind.UNKNOWN && !caller.ownKey()
                && !upstreams.opened(call.provider(), call.path())) {
            refuse(context, call.provider(), 403, "This path is not open with Sluice's key: rate-limit.llm."
                    + call.provider().id() + ".paths opens it");
        } else if (ProviderConnections.leaves(call.path())) {
            refuse(context, call.provider(), 400, "The path has segments that are empty or dots");
        } else if (ProviderHeaders.hides(context.request(), call.provider(), caller)) {
            refuse(context, call.provider(), 400, "A query or field mask that changes the method, or hides the usage, is not"
                    + " taken");
        } else if (call.operation().kind() == Kind.CALL) {
            receive(call, caller);
        } else if (call.counted()) {
            admit(call, caller,
                    new LlmCallEstimate(call.provider(), caller.caller().identity().identifier(), caller.caller().tier(), "",
                            0, 0),
                    null);
        } else {
            forward(call, caller, null, null);
        }
    }

    private void unknown(Incoming call, Throwable failure) {
        if (!(failure instanceof CredentialsRejectedException)) {
            LOG.error("A caller could not be made out", failure);
            refuse(call.context(), call.provider(), 500, "Something went wrong inside");
            return;
        }
        turnstile.reject(call.context(), failure.getMessage()).subscribe().with(admission -> {
            call.context().request().resume();
            ProviderErrors.send(call.context(), call.provider(), admission.refusal());
        }, error -> refuse(call.context(), call.provider(), 500, "Something went wrong inside"));
    }

    /** Waits for the body, which says what is asked for. */
    private void receive(Incoming call, LlmCaller caller) {
        bodies.read(call.context()).onSuccess(body -> guarded(call, null, () -> received(call, caller, body)))
                .onFailure(failure -> {
                    if (failure instanceof RequestBodyBuffer.RefusedException refusal) {
                        refuse(call.context(), call.provider(), refusal.status(), refusal.getMessage());
                    } else {
                        LOG.error("A body could not be read", failure);
                        refuse(call.context(), call.provider(), 500, "Something went wrong inside");
                    }
                });
    }

    private void received(Incoming call, LlmCaller caller, Buffer body) {
        LlmRequest read;
        try {
            read = LlmRequestParser.read(call.provider(), call.operation(), body);
        } catch (InvalidRequestBodyException e) {
            refuse(call.context(), call.provider(), 400, e.getMessage());
            return;
        }
        long output = read.outputCap() < 0 ? -1 : read.outputCap() * read.choices();
        admit(call, caller,
                new LlmCallEstimate(call.provider(), caller.caller().identity().identifier(), caller.caller().tier(),
                        read.model(), read.inputEstimate(), output),
                read);
    }

    /** @param read null where the body is not read */
    private void admit(Incoming call, LlmCaller caller, LlmCallEstimate ask, LlmRequest read) {
        limiter.admit(ask).subscribe().with(open -> guarded(call, open.decision().allowed() ? open : null, () -> {
            var context = call.context();
            rateLimitHeaders.write(context.response().headers(), open.decision());
            if (!open.decision().allowed()) {
                context.request().resume();
                ProviderErrors.denied(context, open);
            } else if (context.response().closed()) {
                open.failed(false);
            } else {
                forward(call, caller, open, read);
            }
        }), failure -> {
            if (failure instanceof StoreUnavailableException) {
                call.context().request().resume();
                ProviderErrors.send(call.context(), call.provider(), ErrorResponse.storeUnavailable());
            } else {
                LOG.error("A call could not be decided", failure);
                refuse(call.context(), call.provider(), 500, "Something went wrong inside");
            }
        });
    }

    /**
     * @param caller null for nobody
     * @param open null where nothing is counted
     * @param read null where the body is not read, and passes as it comes
     */
    private void forward(Incoming call, LlmCaller caller, AdmittedCall open, LlmRequest read) {
        var request = call.context().request();
        boolean ask = read != null && read.streaming() && call.operation().shape() == ProviderOperation.Shape.CHAT
                && !read.usageAsked();
        var operation = read == null
                ? call.operation()
                : new ProviderOperation(call.operation().kind(), call.operation().shape(), read.model(), read.streaming());
        var body = read == null ? null : ask ? LlmRequestParser.withUsageAsked(operation, read) : read.body();
        var told = headers.of(request, call.provider(), caller, ask);
        var exchange = new ProviderExchange(vertx, call.context(), call.provider(), operation, open, ask, patience);
        upstreams.request(call.provider(), request.method(), RequestPath.ascii(call.path()) + headers.query(request, caller))
                .onSuccess(begun -> guarded(call, open, () -> {
                    addAll(begun, told);
                    if (!exchange.begin(begun)) {
                        return;
                    }
                    if (body != null) {
                        begun.end(body).onComplete(sent -> bodies.release(call.context()));
                    } else if (caller != null && exchange.hasBody()) {
                        exchange.stream();
                    } else {
                        request.resume();
                        begun.end();
                    }
                })).onFailure(exchange::broken);
    }

    private static void addAll(HttpClientRequest begun, MultiMap headers) {
        try {
            begun.headers().addAll(headers);
        } catch (IllegalArgumentException e) {
            begun.reset();
            throw e;
        }
    }

    private static void refuse(RoutingContext context, Provider provider, int status, String message) {
        context.request().resume(); // what is left of the body is dropped
        ProviderErrors.send(context, provider, status, message);
    }
}
