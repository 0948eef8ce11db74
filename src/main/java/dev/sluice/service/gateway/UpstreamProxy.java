package dev.sluice.service.gateway;

import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.config.ConfigProblems;
import dev.sluice.http.ErrorResponse;
import dev.sluice.policy.Caller;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.InterimResponseFilter;
import dev.sluice.service.edge.SecurityHeaders;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
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
public class UpstreamProxy {

    private static final Logger LOG = Logger.getLogger(UpstreamProxy.class);
    /** Shorter than the keep-alive timeout of common servers, so that no connection is used while it is being closed. */
    private static final int KEEP_ALIVE_SECONDS = 4;
    private static final int MAX_HEADER_BYTES = 64 * 1024;

    private final ServiceConfig.Upstream settings;
    private final UpstreamHeaders headers;
    private final Optional<URI> url;
    private final String basePath;
    private final Vertx vertx;
    private final HttpClient client;
    private final HttpProxy proxy;

    UpstreamProxy(ServiceConfig settings, UpstreamHeaders headers, Vertx vertx) {
        this.settings = settings.upstream();
        this.headers = headers;
        this.vertx = vertx;
        this.url = this.settings.url().filter(text -> !text.isBlank()).map(text -> parse(text.strip()));
        this.basePath = url.map(URI::getRawPath).map(path -> path.endsWith("/") ? path.substring(0, path.length() - 1) : path)
                .orElse("");
        this.client = url.isPresent() ? client(vertx) : null;
        this.proxy = url.isPresent() ? proxy() : null;
    }

    private HttpClient client(Vertx vertx) {
        boolean tls = "https".equals(url.get().getScheme());
        var options = new HttpClientOptions().setSsl(tls).setVerifyHost(tls).setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                .setConnectTimeout((int) settings.connectTimeout().toMillis()).setMaxHeaderSize(MAX_HEADER_BYTES)
                .setMaxInitialLineLength(MAX_HEADER_BYTES);
        return vertx.httpClientBuilder().with(options).with(new PoolOptions().setHttp1MaxSize(settings.maxConnections()))
                .withConnectHandler(UpstreamProxy::onConnect).build();
    }

    private static void onConnect(HttpConnection connection) {
        // A pending request receives the failure itself; without one there is nothing to report.
        connection.exceptionHandler(failure -> LOG.debug("Upstream connection failed", failure));
        InterimResponseFilter.install(connection);
    }

    private HttpProxy proxy() {
        return HttpProxy.reverseProxy(new ProxyOptions().setSupportWebSocket(false), client)
                .origin(context -> connect((ForwardedRequest) context.request().proxiedRequest()))
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

    private static URI parse(String text) {
        try {
            var uri = new URI(text);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            return http && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawFragment() == null ? uri : null;
        } catch (URISyntaxException e) {
            return null;
        }
    }

    void validate(@Observes ConfigProblems problems) {
        if (url.isEmpty() && settings.url().filter(text -> !text.isBlank()).isPresent()) {
            problems.add("UPSTREAM_URL", "(not shown)", "http://host[:port][/path] or https://…, without a query");
        }
        problems.checkDuration("rate-limit.upstream.connect-timeout", settings.connectTimeout());
        problems.checkDuration("rate-limit.upstream.timeout", settings.timeout());
        if (settings.maxConnections() < 1) {
            problems.add("rate-limit.upstream.max-connections", Integer.toString(settings.maxConnections()), "1 or more");
        }
    }

    boolean isConfigured() {
        return url.isPresent();
    }

    public Optional<URI> url() {
        return url;
    }

    /** @param caller identity to announce to the upstream; null for none */
    void forward(RoutingContext context, Caller caller) {
        var request = context.request();
        ExpectContinue.accept(request);
        var forwarded = new ForwardedRequest(context, headers.forRequest(request, caller), upstreamUri(request));
        if (HttpUtils.canUpgradeToWebSocket(forwarded)) {
            new WebSocketTunnel(this).open(context, forwarded);
            return;
        }
        proxy.handle(forwarded);
    }

    /** Returns the request target as it was sent, prefixed with the base path of the upstream. */
    private String upstreamUri(HttpServerRequest request) {
        var uri = request.uri();
        if (!uri.startsWith("/")) { // absolute form, or *
            var query = request.query();
            uri = "*".equals(uri) ? uri : request.path() + (query == null ? "" : '?' + query);
        }
        return RequestPath.toAscii(basePath.isEmpty() || "*".equals(uri) ? uri : basePath + uri);
    }

    private int port() {
        var port = url.get().getPort();
        return port > 0 ? port : "https".equals(url.get().getScheme()) ? 443 : 80;
    }

    /** Returns a request to the upstream, which fails if no response begins within the timeout. */
    Future<HttpClientRequest> connect(ForwardedRequest forwarded) {
        var options = new RequestOptions().setHost(url.get().getHost()).setPort(port())
                .setConnectTimeout(settings.connectTimeout().toMillis());
        var exchange = new UpstreamExchange(vertx, forwarded, settings.timeout());
        return client.request(options).recover(failure -> Future.failedFuture(new ConnectException(failure.getMessage())))
                .compose(exchange::begin);
    }

    private static ProxyResponse toProxyResponse(ProxyContext context, Throwable failure) {
        var error = errorFor(failure);
        var response = context.request().release().response();
        SecurityHeaders.put(response.headers());
        return response.setStatusCode(error.status()).putHeader(HttpHeaders.CONTENT_TYPE, ErrorResponse.JSON)
                .setBody(Body.body(Buffer.buffer(error.body(ErrorResponse.JSON))));
    }

    static ErrorResponse errorFor(Throwable failure) {
        LOG.debug("Upstream request failed", failure);
        if (failure instanceof UpstreamExchange.SlowClientException
                || failure.getCause() instanceof UpstreamExchange.SlowClientException) {
            return ErrorResponse.of(408, "RATE_4081", "Request body not received in time");
        }
        return failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException
                ? ErrorResponse.of(504, "RATE_5041", "The upstream did not respond in time")
                : ErrorResponse.of(502, "RATE_5021", "The upstream cannot be reached");
    }

    @PreDestroy
    void close() {
        if (client != null) {
            client.close();
        }
    }
}
