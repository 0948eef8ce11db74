package dev.sluice.service.api;

import java.util.Locale;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimiter;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.limit.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.BoundedBodyHandler;
import dev.sluice.service.edge.ServiceErrors;
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
    /** After the front door (-1000), before all that Quarkus does for endpoints that ask who is calling. */
    private static final int ORDER = -900;
    /** After Quarkus's CORS (-300), authentication (-200) and authorization (-100), before the gateways. */
    private static final int SECURED_ORDER = -70;
    /** After the gateways, which forward some of the spellings where there is an upstream. */
    private static final int OTHER_SPELLINGS_ORDER = -40;

    private static final CharSequence ALLOW = HttpHeaders.createOptimized("Allow");
    private static final CharSequence METHODS = HttpHeaders.createOptimized("POST, OPTIONS");
    private static final CharSequence JSON = HttpHeaders.createOptimized(ErrorResponse.JSON);

    private static final ErrorResponse METHOD_NOT_ALLOWED = ServiceErrors.answer(405);
    private static final ErrorResponse NOT_ACCEPTABLE = ServiceErrors.answer(406);
    private static final ErrorResponse UNSUPPORTED_MEDIA_TYPE = ServiceErrors.answer(415);

    private final RateLimiter limiter;
    private final CurrentPolicy policy;
    private final CurrentLlmPolicy llmRows;
    private final EndpointAuthorization doors;
    private final RateLimitHeaders headers;
    private final BoundedBodyHandler.Limits bodies;

    CheckRoute(RateLimiter limiter, CurrentPolicy policy, CurrentLlmPolicy llmRows, EndpointAuthorization doors,
            RateLimitHeaders headers, Vertx vertx,
            ServiceConfig settings, @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.limiter = limiter;
        this.policy = policy;
        this.llmRows = llmRows;
        this.doors = doors;
        this.headers = headers;
        this.bodies = new BoundedBodyHandler.Limits(vertx, bodyLimit.asLongValue(),
                settings.connections().bodyTimeout().toMillis());
    }

    void open(@Observes Router router, Config config) {
        router.route().order(secured(config) ? SECURED_ORDER : ORDER).handler(this::handle);
        router.route().order(OTHER_SPELLINGS_ORDER).handler(this::handleOtherSpelling);
    }

    /** Whether the settings ask Quarkus for CORS or for its own rules about who may use which path. */
    private static boolean secured(Config config) {
        for (var name : config.getPropertyNames()) {
            if (name.toLowerCase(Locale.ROOT).replace('_', '.').startsWith("quarkus.http.auth.permission.")) {
                return true;
            }
        }
        // Its name is among the properties where it is not set too.
        return config.getOptionalValue("quarkus.http.cors.enabled", Boolean.class).orElse(false);
    }

    private void handle(RoutingContext context) {
        if (PATH.equals(context.request().path())) {
            BoundedBodyHandler.read(context, bodies, body -> answer(context, body));
        } else {
            context.next();
        }
    }

    private void handleOtherSpelling(RoutingContext context) {
        if (!isOtherSpelling(context.normalizedPath())) {
            context.next();
        } else if (context.body().buffer() != null) {
            answer(context, context.body().buffer());
        } else {
            BoundedBodyHandler.read(context, bodies, body -> answer(context, body));
        }
    }

    /** Whether a path leads here as JAX-RS understands paths: with matrix parameters, and a slash at its end. */
    static boolean isOtherSpelling(String path) {
        if (!path.startsWith("/v1") || path.length() > 1024) {
            return false;
        }
        var plain = path.replaceAll(";[^/]*", "");
        return plain.equals(PATH) || plain.equals(PATH + '/');
    }

    private void answer(RoutingContext context, Buffer body) {
        var request = context.request();
        if (request.method() != HttpMethod.POST) {
            answerOtherMethod(context);
        } else if (!MediaTypes.isReadable(request.getHeader(HttpHeaders.CONTENT_TYPE))) {
            UNSUPPORTED_MEDIA_TYPE.send(context);
        } else if (!MediaTypes.areReadable(request.getHeader(HttpHeaders.ACCEPT))) {
            NOT_ACCEPTABLE.send(context);
        } else {
            doors.decision(context, admitted -> decide(admitted, body), CheckRoute::refuse);
        }
    }

    private static void answerOtherMethod(RoutingContext context) {
        context.response().putHeader(ALLOW, METHODS);
        if (context.request().method() == HttpMethod.OPTIONS) {
            context.response().end();
        } else {
            METHOD_NOT_ALLOWED.send(context);
        }
    }

    private void decide(RoutingContext context, Buffer body) {
        RateLimitRequest request;
        try {
            request = CheckRequest.read(body.getBytes(), policy, llmRows);
        } catch (BadRequestException e) {
            e.answer().send(context);
            return;
        }
        if (doors.reserved(context, request.identifier())) {
            EndpointAuthorization.reservedAnswer().send(context);
            return;
        }
        limiter.check(request, decision -> decided(context, request, decision), failure -> failed(context, failure));
    }

    private void decided(RoutingContext context, RateLimitRequest request, Decision decision) {
        var response = context.response();
        if (response.closed()) {
            return;
        }
        headers.write(response.headers(), decision);
        if (decision.allowed() || request.demands().get(0).cost() == 0) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, JSON).end(DecisionJson.of(decision, null));
        } else {
            ErrorResponse.exceeded(decision).send(context);
        }
    }

    private static void failed(RoutingContext context, Throwable failure) {
        if (failure instanceof StoreUnavailableException) {
            refuse(context, ErrorResponse.storeUnavailable());
        } else {
            LOG.error("A check could not be decided", failure);
            refuse(context, ServiceErrors.answer(500));
        }
    }

    private static void refuse(RoutingContext context, ErrorResponse answer) {
        if (!context.response().closed()) {
            answer.send(context);
        }
    }
}
