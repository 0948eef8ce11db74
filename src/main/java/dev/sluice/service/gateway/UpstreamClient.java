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

import dev.sluice.config.ConfigProblems;
import dev.sluice.http.ErrorResponse;
import dev.sluice.policy.RequestPath;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.InterimResponseFilter;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;

/** Address of the upstream, and the HTTP client for it. */
@ApplicationScoped
public class UpstreamClient {

    private static final Logger LOG = Logger.getLogger(UpstreamClient.class);
    /** Shorter than the keep-alive timeout of common servers, so that no connection is used while it is being closed. */
    private static final int KEEP_ALIVE_SECONDS = 4;
    private static final int MAX_HEADER_BYTES = 64 * 1024;

    private final ServiceConfig.Upstream settings;
    private final Optional<URI> url;
    private final String basePath;
    private final Vertx vertx;
    private final HttpClient client;

    UpstreamClient(ServiceConfig settings, Vertx vertx) {
        this.settings = settings.upstream();
        this.vertx = vertx;
        this.url = this.settings.url().filter(text -> !text.isBlank()).map(text -> parse(text.strip()));
        this.basePath = url.map(URI::getRawPath).map(path -> path.endsWith("/") ? path.substring(0, path.length() - 1) : path)
                .orElse("");
        this.client = url.isPresent() ? client(vertx) : null;
    }

    private HttpClient client(Vertx vertx) {
        boolean tls = "https".equals(url.get().getScheme());
        var options = new HttpClientOptions().setSsl(tls).setVerifyHost(tls).setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                .setMaxHeaderSize(MAX_HEADER_BYTES).setMaxInitialLineLength(MAX_HEADER_BYTES);
        return vertx.httpClientBuilder().with(options)
                .with(new PoolOptions().setHttp1MaxSize(Math.max(1, settings.maxConnections()))) // validated later
                .withConnectHandler(UpstreamClient::onConnect).build();
    }

    private static void onConnect(HttpConnection connection) {
        // A pending request receives the failure itself; without one there is nothing to report.
        connection.exceptionHandler(failure -> LOG.debug("Upstream connection failed", failure));
        InterimResponseFilter.install(connection);
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

    /** Returns the address of the upstream, if one is configured. */
    public Optional<URI> url() {
        return url;
    }

    /** Returns the client; null if no upstream is configured. */
    HttpClient http() {
        return client;
    }

    /** Returns the request target as it was sent, prefixed with the base path of the upstream. */
    String uriOf(HttpServerRequest request) {
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

    /** Returns the error for a request that the upstream has not responded to. */
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
