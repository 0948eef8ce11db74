package dev.sluice.service.gateway;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.ErrorResponse;
import dev.sluice.policy.Caller;
import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.edge.SecurityHeaders;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.impl.HttpUtils;
import io.vertx.ext.web.RoutingContext;
import io.vertx.httpproxy.Body;
import io.vertx.httpproxy.HttpProxy;
import io.vertx.httpproxy.ProxyContext;
import io.vertx.httpproxy.ProxyInterceptor;
import io.vertx.httpproxy.ProxyOptions;
import io.vertx.httpproxy.ProxyResponse;

/** Forwards requests to the upstream unchanged, streaming in both directions. */
@ApplicationScoped
class UpstreamProxy {

    private final UpstreamHeaders headers;
    private final UpstreamClient upstream;
    private final HttpProxy proxy;

    UpstreamProxy(UpstreamHeaders headers, UpstreamClient upstream) {
        this.headers = headers;
        this.upstream = upstream;
        this.proxy = upstream.url().isPresent() ? proxy() : null;
    }

    private HttpProxy proxy() {
        return HttpProxy.reverseProxy(new ProxyOptions().setSupportWebSocket(false), upstream.http())
                .origin(context -> upstream.connect((ForwardedRequest) context.request().proxiedRequest()))
                .addInterceptor(new ProxyInterceptor() {
                    @Override
                    public Future<ProxyResponse> handleProxyRequest(ProxyContext context) {
                        return context.sendRequest()
                                .recover(failure -> Future.succeededFuture(toProxyResponse(context, failure)));
                    }

                    @Override
                    public Future<Void> handleProxyResponse(ProxyContext context) {
                        UpstreamHeaders.cleanResponse(context.response().headers(),
                                context.request().proxiedRequest().response());
                        return context.sendResponse();
                    }
                });
    }

    boolean isConfigured() {
        return proxy != null;
    }

    /** @param caller identity to announce to the upstream; null for none */
    void forward(RoutingContext context, Caller caller) {
        var request = context.request();
        ExpectContinue.accept(request);
        var forwarded = new ForwardedRequest(context, headers.forRequest(request, caller), upstream.uriOf(request));
        if (HttpUtils.canUpgradeToWebSocket(forwarded)) {
            new WebSocketTunnel(upstream).open(context, forwarded);
            return;
        }
        proxy.handle(forwarded);
    }

    private static ProxyResponse toProxyResponse(ProxyContext context, Throwable failure) {
        var error = UpstreamClient.errorFor(failure);
        var response = context.request().release().response();
        SecurityHeaders.put(response.headers());
        return response.setStatusCode(error.status()).putHeader(HttpHeaders.CONTENT_TYPE, ErrorResponse.JSON)
                .setBody(Body.body(Buffer.buffer(error.body(ErrorResponse.JSON))));
    }
}
