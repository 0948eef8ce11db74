package dev.sluice.service.api;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.BoundedBodyHandler;
import dev.sluice.service.edge.DecisionRouteOrder;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.traffic.TrafficRecorder;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The decision endpoint, {@code POST /v1/check}. It is a route and not a JAX-RS resource because it is the hottest path of the
 * service: a decision needs less CPU time than JAX-RS does. Everything happens on the event loop of the request.
 */
@ApplicationScoped
class CheckRoute {

    static final String PATH = "/v1/check";

    private static final Logger LOG = Logger.getLogger(CheckRoute.class);
    /** After the gateways, which forward some alternative spellings of the path if an upstream is configured. */
    private static final int OTHER_SPELLINGS_ORDER = -40;

    private static final CharSequence ALLOW = HttpHeaders.createOptimized("Allow");
    private static final CharSequence METHODS = HttpHeaders.createOptimized("POST, OPTIONS");
    private static final CharSequence JSON = HttpHeaders.createOptimized(ErrorResponse.JSON);

    private static final ErrorResponse METHOD_NOT_ALLOWED = ServiceErrors.forStatus(405);
    private static final ErrorResponse NOT_ACCEPTABLE = ServiceErrors.forStatus(406);
    private static final ErrorResponse UNSUPPORTED_MEDIA_TYPE = ServiceErrors.forStatus(415);

    private final CallbackRateLimiter limiter;
    private final CurrentPolicy policy;
    private final CurrentLlmPolicy llmPolicy;
    private final EndpointAuthorization authorization;
    private final AnonymousCheckLimiter anonymousRequests;
    private final RateLimitHeaders headers;
    private final RequestBodyReader bodies;
    private final TrafficRecorder traffic;
    private final BoundedBodyHandler.Limits bodyLimits;

    CheckRoute(CallbackRateLimiter limiter, CurrentPolicy policy, CurrentLlmPolicy llmPolicy,
            EndpointAuthorization authorization, AnonymousCheckLimiter anonymousRequests,
            RateLimitHeaders headers, RequestBodyReader bodies, TrafficRecorder traffic, Vertx vertx,
            ServiceConfig settings, @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.limiter = limiter;
        this.policy = policy;
        this.llmPolicy = llmPolicy;
        this.authorization = authorization;
        this.anonymousRequests = anonymousRequests;
        this.headers = headers;
        this.bodies = bodies;
        this.traffic = traffic;
        this.bodyLimits = new BoundedBodyHandler.Limits(vertx, bodyLimit.asLongValue(),
                settings.connections().bodyTimeout().toMillis());
    }

    void register(@Observes Router router, Config config) {
        router.route().order(DecisionRouteOrder.of(config)).handler(this::handle);
        router.route().order(OTHER_SPELLINGS_ORDER).handler(this::handleOtherSpelling);
    }

    private void handle(RoutingContext context) {
        if (PATH.equals(context.request().path())) {
            BoundedBodyHandler.read(context, bodyLimits, body -> respond(context, body));
        } else {
            context.next();
        }
    }

    private void handleOtherSpelling(RoutingContext context) {
        if (!isOtherSpelling(context.normalizedPath())) {
            context.next();
        } else if (context.body().buffer() != null) {
            respond(context, context.body().buffer());
        } else {
            BoundedBodyHandler.read(context, bodyLimits, body -> respond(context, body));
        }
    }

    /** Returns whether JAX-RS would route the path here: with matrix parameters or a trailing slash. */
    static boolean isOtherSpelling(String path) {
        if (!path.startsWith("/v1") || path.length() > 1024) {
            return false;
        }
        var plain = path.replaceAll(";[^/]*", "");
        return plain.equals(PATH) || plain.equals(PATH + '/');
    }

    private void respond(RoutingContext context, Buffer body) {
        var request = context.request();
        if (request.method() != HttpMethod.POST) {
            respondToOtherMethod(context);
        } else if (!MediaTypes.isWellFormed(request.getHeader(HttpHeaders.CONTENT_TYPE))) {
            UNSUPPORTED_MEDIA_TYPE.send(context);
        } else if (!MediaTypes.areWellFormed(request.getHeader(HttpHeaders.ACCEPT))) {
            NOT_ACCEPTABLE.send(context);
        } else {
            authorization.authorizeDecision(context, anonymous -> decide(context, body, anonymous), CheckRoute::reject);
        }
    }

    private static void respondToOtherMethod(RoutingContext context) {
        context.response().putHeader(ALLOW, METHODS);
        if (context.request().method() == HttpMethod.OPTIONS) {
            context.response().end();
        } else {
            METHOD_NOT_ALLOWED.send(context);
        }
    }

    private void decide(RoutingContext context, Buffer body, boolean anonymous) {
        if (context.response().closed()) {
            return; // the client has disconnected while the request was counted
        }
        CheckBatch batch;
        try {
            batch = read(body.getBytes(), anonymous);
        } catch (BadRequestException e) {
            e.errorResponse().send(context);
            return;
        }
        var requests = batch.requests();
        if (anonymous && requests.stream().anyMatch(request -> ReservedIdentifiers.contains(request.identifier()))) {
            ReservedIdentifiers.ERROR.send(context);
        } else if (requests.size() > 1 && !limiter.isAtomic(requests)) {
            CheckBatch.notAtomic().send(context);
        } else if (batch.isCharge()) {
            limiter.chargeAll(requests, decision -> onDecision(context, batch, decision),
                    failure -> onFailure(context, failure));
        } else if (batch.isSingle()) {
            limiter.check(requests.get(0), decision -> onDecision(context, batch, decision),
                    failure -> onFailure(context, failure));
        } else {
            limiter.checkAll(requests, decision -> onDecision(context, batch, decision),
                    failure -> onFailure(context, failure));
        }
    }

    private CheckBatch read(byte[] body, boolean anonymous) {
        var batch = CheckBatch.read(body, bodies, policy, llmPolicy);
        if (batch == null) {
            var check = bodies.read(body, CheckRequest.class);
            batch = CheckBatch.single(check, check.toRateLimitRequest(policy, llmPolicy));
        }
        if (anonymous) {
            batch.forEach(this::validateWindows);
        }
        return batch;
    }

    /** The rates of configured rules are not the client's choice. */
    private void validateWindows(CheckRequest check, RateLimitRequest request) {
        if (check.tier() == null) {
            anonymousRequests.validateWindows(request.checks().get(0).rate(), check.rate() == null ? "window_seconds" : "rate");
        }
    }

    private void onDecision(RoutingContext context, CheckBatch batch, Decision decision) {
        traffic.onDecidedTogether(batch.requests());
        var response = context.response();
        if (response.closed()) {
            return;
        }
        headers.write(response.headers(), decision);
        if (decision.allowed() || batch.isCharge() || batch.isQuery()) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, JSON).end(batch.json(decision));
        } else {
            batch.denial(decision).send(context);
        }
    }

    private static void onFailure(RoutingContext context, Throwable failure) {
        if (failure instanceof StoreUnavailableException) {
            reject(context, ErrorResponse.storeUnavailable());
        } else {
            LOG.error("Check failed", failure);
            reject(context, ServiceErrors.forStatus(500));
        }
    }

    private static void reject(RoutingContext context, ErrorResponse error) {
        if (!context.response().closed()) {
            error.send(context);
        }
    }
}
