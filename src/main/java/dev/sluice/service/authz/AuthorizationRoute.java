package dev.sluice.service.authz;

import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

import dev.sluice.http.AdmissionResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestAuthority;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.edge.DecisionRouteOrder;
import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.gateway.UpstreamHeaders;
import dev.sluice.store.ThrottledLog;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The endpoints that proxies ask over HTTP: {@code /v1/forward-auth} (nginx, Traefik, Caddy, HAProxy, APISIX) and
 * {@code /v1/ext-authz/<path>} (Envoy's ext_authz filter). Routes and not JAX-RS resources, as {@code /v1/check} is. Bodies are
 * not read. Everything happens on the event loop of the request.
 *
 * @see <a href="https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto">ext_authz</a>
 * @see <a href="https://nginx.org/en/docs/http/ngx_http_auth_request_module.html">ngx_http_auth_request_module</a>
 */
@ApplicationScoped
class AuthorizationRoute {

    static final String FORWARD_AUTH = "/v1/forward-auth";
    static final String EXT_AUTHZ = "/v1/ext-authz";

    /** Envoy removes these fields from the request, and this one from the answer. */
    private static final String REMOVED_HEADERS = "X-Envoy-Auth-Headers-To-Remove";
    /** Fields that applications could take for those of the identity. Envoy removes them without having sent them here. */
    private static final String UNSEEN_NAMES = "x_user_id,x-user_id,x_user-id,x_user_tier,x-user_tier,x_user-tier";
    private static final Logger LOG = Logger.getLogger(AuthorizationRoute.class);
    private static final int TOO_MANY_REQUESTS = 429;
    private static final ErrorResponse NOT_TRUSTED = ErrorResponse.of(403, "RATE_4031",
            "Only trusted proxies may ask here: add the address of the proxy to rate-limit.trusted-proxies"
                    + " (RATE_LIMIT_TRUSTED_PROXIES)");

    private final ForwardedRequestLimiter limiter;
    private final ClientAddressResolver addresses;
    private final CurrentPolicy policy;
    private final ThrottledLog untrusted = new ThrottledLog();
    private final UpstreamHeaders upstreamHeaders;

    AuthorizationRoute(ForwardedRequestLimiter limiter, ClientAddressResolver addresses, CurrentPolicy policy,
            UpstreamHeaders upstreamHeaders) {
        this.upstreamHeaders = upstreamHeaders;
        this.limiter = limiter;
        this.addresses = addresses;
        this.policy = policy;
    }

    void register(@Observes Router router, Config config) {
        router.route().order(DecisionRouteOrder.of(config)).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        var path = context.request().path();
        if (path == null || !path.startsWith("/v1/")) {
            context.next();
        } else if (path.equals(FORWARD_AUTH)) {
            ExpectContinue.accept(context.request());
            forwardAuth(context);
        } else if (path.startsWith(EXT_AUTHZ)
                && (path.length() == EXT_AUTHZ.length() || path.charAt(EXT_AUTHZ.length()) == '/')) {
            ExpectContinue.accept(context.request());
            extAuthz(context, path.length() == EXT_AUTHZ.length() ? "/" : path.substring(EXT_AUTHZ.length()));
        } else {
            context.next();
        }
    }

    private void forwardAuth(RoutingContext context) {
        var request = context.request();
        if (!addresses.isFromTrustedProxy(request)) {
            untrusted.log(times -> LOG.warnf("Forward authentication was refused, because the peer is not listed in"
                    + " rate-limit.trusted-proxies: peer=%s times=%d", request.remoteAddress().hostAddress(), times));
            reject(context, NOT_TRUSTED);
            return;
        }
        ForwardAuthOptions options;
        LimitRule rule;
        try {
            options = ForwardAuthOptions.of(context);
            rule = rule(options.resource());
        } catch (BadRequestException e) {
            reject(context, e.errorResponse());
            return;
        }
        var target = OriginalRequestHeaders.read(request.headers(), options.source(), rule == null);
        if (target.error() != null) {
            reject(context, target.error());
            return;
        }
        limiter.admit(
                new ForwardedRequest(target.method(), target.authority(), target.path(), target.query(), request.headers(),
                        request.remoteAddress(),
                        request.remoteAddress(), rule),
                context.response().headers(), result -> respond(context, result, options.denyStatus()));
    }

    private LimitRule rule(String resource) {
        if (resource == null) {
            return null;
        }
        var rule = policy.rule(resource);
        if (rule == null) {
            throw BadRequestException.forField("resource", "No rule has this resource name; GET /v1/rules lists them");
        }
        return rule;
    }

    private void extAuthz(RoutingContext context, String path) {
        var request = context.request();
        limiter.admit(
                new ForwardedRequest(request.method().name(), RequestAuthority.of(request), path, request.query(),
                        request.headers(), request.remoteAddress(),
                        request.remoteAddress(), null),
                context.response().headers(), result -> {
                    if (!result.isDenied()) {
                        putRemoved(context, upstreamHeaders.namesToRemove(request.headers(), result.caller()));
                    }
                    respond(context, result, TOO_MANY_REQUESTS);
                });
    }

    private static void putRemoved(RoutingContext context, Set<String> names) {
        var removed = names.isEmpty() ? UNSEEN_NAMES : String.join(",", names) + ',' + UNSEEN_NAMES;
        context.response().headers().set(REMOVED_HEADERS, removed);
    }

    private static void respond(RoutingContext context, AdmissionResult result, int denyStatus) {
        var response = context.response();
        if (response.closed() || response.ended()) {
            return; // the proxy has disconnected
        }
        if (result.isDenied()) {
            reject(context, result.error().status() == TOO_MANY_REQUESTS
                    ? result.error().withStatus(denyStatus)
                    : result.error());
            return;
        }
        UpstreamHeaders.putIdentity(response.headers(), result.caller());
        response.putHeader(HttpHeaders.CONTENT_LENGTH, "0").end();
    }

    private static void reject(RoutingContext context, ErrorResponse error) {
        if (!context.response().closed()) {
            error.send(context);
        }
    }
}
