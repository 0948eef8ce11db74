package dev.sluice.service.gateway;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.http.AdmissionResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRateLimiter;
import dev.sluice.policy.Caller;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.BoundedBodyHandler;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.edge.SecurityHeaders;
import dev.sluice.service.edge.ServiceErrors;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;

/**
 * Reverse proxy to the upstream: if one is configured, every request that is not for one of Sluice's own endpoints is limited
 * by its rule and forwarded.
 */
@ApplicationScoped
public class UpstreamGateway {

    private static final Logger LOG = Logger.getLogger(UpstreamGateway.class);
    /** After authentication has been prepared (-200), before the body limit of Quarkus (-2). */
    private static final int ORDER = -50;

    private final RequestRateLimiter rateLimiter;
    private final UpstreamProxy upstream;
    private final BoundedBodyHandler.Limits bodyLimits;

    UpstreamGateway(RequestRateLimiter rateLimiter, UpstreamProxy upstream, Vertx vertx, ServiceConfig settings,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.bodyLimits = new BoundedBodyHandler.Limits(vertx, bodyLimit.asLongValue(),
                settings.connections().bodyTimeout().toMillis());
        this.rateLimiter = rateLimiter;
        this.upstream = upstream;
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle).failureHandler(UpstreamGateway::onFailure);
    }

    private void handle(RoutingContext context) {
        if (!upstream.isConfigured() || ReservedPaths.contains(context.normalizedPath())) {
            passToEndpoints(context);
            return;
        }
        context.request().pause();
        if (Cors.isPreflight(context.request())) {
            rateLimiter.admitPreflight(context, admission -> onDecision(context, new AdmissionResult(null, admission.error())),
                    failure -> onFailedDecision(context, failure));
        } else {
            rateLimiter.admit(context, admission -> onDecision(context, admission),
                    failure -> onFailedDecision(context, failure));
        }
    }

    private static void onFailedDecision(RoutingContext context, Throwable failure) {
        LOG.errorf(failure, "Rate limit decision failed");
        reject(context, ServiceErrors.forStatus(500));
    }

    /** Passes the request to Sluice's own endpoints, with its body buffered. */
    private void passToEndpoints(RoutingContext context) {
        BoundedBodyHandler.read(context, bodyLimits);
    }

    private void onDecision(RoutingContext context, AdmissionResult admission) {
        if (context.response().closed() || context.response().ended()) {
            return; // the client has disconnected, or the body has been rejected
        }
        if (admission.isDenied()) {
            reject(context, admission.error());
        } else {
            forward(context, admission.caller());
        }
    }

    private void forward(RoutingContext context, Caller caller) {
        try {
            upstream.forward(context, caller);
        } catch (IllegalArgumentException e) {
            // HTTP/2 allows characters that are invalid in HTTP/1
            reject(context, ErrorResponse.badRequest("headers", "A header contains an invalid character"));
        }
    }

    /** Maps any failure of a route to an error response in Sluice's format. */
    private static void onFailure(RoutingContext context) {
        if (context.response().headWritten()) {
            return;
        }
        var failure = context.failure();
        int status = failure instanceof HttpException http ? http.getStatusCode() : context.statusCode();
        if (status < 400 || status == 500) {
            LOG.error("Request failed", failure);
        }
        SecurityHeaders.put(context.response().headers()); // an invalid path has bypassed RequestFramingGuard
        reject(context, ServiceErrors.forStatus(status < 400 ? 500 : status));
    }

    private static void reject(RoutingContext context, ErrorResponse error) {
        if (!context.request().isEnded()) {
            context.request().resume(); // discard the rest of the body
        }
        error.send(context);
    }
}
