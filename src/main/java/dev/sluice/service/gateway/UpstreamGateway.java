package dev.sluice.service.gateway;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.http.AdmissionResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.PendingAnswer;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.RequestRateLimiter;
import dev.sluice.policy.Caller;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.BoundedBodyHandler;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.edge.SecurityHeaders;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.proxy.ClientRequest;
import dev.sluice.service.proxy.ExchangeListener;
import dev.sluice.service.proxy.ProxyExchange;
import dev.sluice.service.proxy.Upstream;
import dev.sluice.service.proxy.UpstreamRequest;
import dev.sluice.service.proxy.connection.UpstreamException;
import dev.sluice.service.token.OwnCredentials;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
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
    private final Upstream upstream;
    private final UpstreamHeaders headers;
    private final MethodOverrides methodOverrides;
    private final OwnCredentials ownCredentials;
    private final Cors cors;
    private final ReservedPaths reserved;
    private final BoundedBodyHandler.Limits bodyLimits;

    UpstreamGateway(RequestRateLimiter rateLimiter, ApiUpstream upstream, UpstreamHeaders headers,
            MethodOverrides methodOverrides, OwnCredentials ownCredentials, Cors cors, ReservedPaths reserved, Vertx vertx,
            ServiceConfig settings,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.bodyLimits = new BoundedBodyHandler.Limits(vertx, bodyLimit.asLongValue(),
                settings.connections().bodyTimeout().toMillis());
        this.rateLimiter = rateLimiter;
        this.upstream = upstream.upstream();
        this.headers = headers;
        this.methodOverrides = methodOverrides;
        this.ownCredentials = ownCredentials;
        this.cors = cors;
        this.reserved = reserved;
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle).failureHandler(this::onFailure);
    }

    private void handle(RoutingContext context) {
        if (upstream == null || reserved.contains(context.normalizedPath())) {
            passToEndpoints(context);
            return;
        }
        if (context.request().method() == HttpMethod.CONNECT) { // for forward proxies
            GatewayErrors.send(context, ServiceErrors.forStatus(405));
            return;
        }
        context.request().pause();
        var methods = methodOverrides.methods(context.request());
        if (Cors.isPreflight(context.request())) {
            rateLimiter.admitPreflight(context, methods,
                    admission -> onDecision(context, new AdmissionResult(null, admission.error(), admission.answer())),
                    failure -> onFailedDecision(context, failure));
        } else {
            rateLimiter.admit(context, methods, admission -> onDecision(context, admission),
                    failure -> onFailedDecision(context, failure));
        }
    }

    private static void onFailedDecision(RoutingContext context, Throwable failure) {
        LOG.errorf(failure, "Rate limit decision failed");
        GatewayErrors.send(context, ServiceErrors.forStatus(500));
    }

    /** Passes the request to Sluice's own endpoints, with its body buffered. */
    private void passToEndpoints(RoutingContext context) {
        BoundedBodyHandler.read(context, bodyLimits);
    }

    private void onDecision(RoutingContext context, AdmissionResult admission) {
        if (context.response().closed() || context.response().ended()) {
            if (admission.answer() != null) {
                admission.answer().onNoAnswer();
            }
            return; // the client has disconnected, or the body has been rejected
        }
        if (admission.isDenied()) {
            GatewayErrors.send(context, admission.error());
        } else {
            forward(context, admission.caller(), admission.answer());
        }
    }

    /**
     * @param caller identity to announce to the upstream; null for none
     * @param answer what is settled when the answer is known; null if nothing is
     */
    private void forward(RoutingContext context, Caller caller, PendingAnswer answer) {
        var request = context.request();
        boolean webSocket = ClientRequest.isWebSocketHandshake(request);
        UpstreamRequest forwarded;
        try {
            var target = ownCredentials.removeFrom(methodOverrides.removeFrom(ClientRequest.originForm(request)));
            forwarded = new UpstreamRequest(request.method(), "*".equals(target) ? target : upstream.url().path() + target,
                    headers.forRequest(request, caller, webSocket), webSocket);
        } catch (IllegalArgumentException e) {
            // HTTP/2 allows characters that are invalid in HTTP/1
            GatewayErrors.send(context,
                    ErrorResponse.badRequest("headers", "The target or a header contains an invalid character"));
            return;
        }
        ProxyExchange.forward(upstream, context, forwarded, null, new ExchangeListener() {
            @Override
            public void onResponse(int status, MultiMap responseHeaders) {
                if (answer != null) {
                    answer.onAnswer(status, responseHeaders);
                }
                cors.merge(request, responseHeaders);
                RateLimitHeaders.removeOverridden(responseHeaders, context.response().headers());
            }

            /** The upstream may act on a request that it has received, so its answer counts even if the client does not wait for it. */
            @Override
            public long drainMillis() {
                return answer != null && answer.isOpen() ? upstream.options().responseTimeout().toMillis() : 0;
            }

            @Override
            public void onUnread() {
                onUnusable(504);
            }

            @Override
            public void onAborted() {
                onUnusable(502);
            }

            @Override
            public void onCancelled() {
                if (answer != null) {
                    answer.onNoAnswer();
                }
            }

            /** The client has gone, and would have received this status if the response had not begun. */
            private void onUnusable(int status) {
                if (answer != null) {
                    answer.onAnswer(status, context.response().headers());
                }
            }

            @Override
            public void onFailure(Throwable failure) {
                if (failure instanceof UpstreamException known) {
                    UpstreamErrors.send(context, known);
                } else {
                    LOG.error("A response could not be forwarded", failure);
                    GatewayErrors.send(context, ServiceErrors.forStatus(500));
                }
            }
        });
    }

    /** Maps any failure of a route to an error response in Sluice's format. */
    private void onFailure(RoutingContext context) {
        if (context.response().headWritten()) {
            return;
        }
        var failure = context.failure();
        int status = failure instanceof HttpException http ? http.getStatusCode() : context.statusCode();
        if (status < 400 || status == 500) {
            LOG.error("Request failed", failure);
        }
        SecurityHeaders.put(context.response().headers()); // an invalid path has bypassed RequestFramingGuard
        cors.addTo(context.request());
        var path = context.request().path();
        GatewayErrors.send(context, status == 404 && (path == null || !path.startsWith("/"))
                ? ErrorResponse.badRequest("path", "The request target must begin with a slash")
                : ServiceErrors.forStatus(status < 400 ? 500 : status));
    }
}
