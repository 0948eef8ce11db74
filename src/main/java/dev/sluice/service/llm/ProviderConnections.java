package dev.sluice.service.llm;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.edge.InterimResponseFilter;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;

/** Addresses of the providers, and the HTTP clients for them. */
@ApplicationScoped
public class ProviderConnections {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int KEEP_ALIVE_SECONDS = 4;
    private static final int MAX_HEADER_BYTES = 64 * 1024;

    private static final Pattern PATH_ESCAPE = Pattern.compile(
            "(/|\\\\|%2f|%5c)((\\.|%2e){0,2}(/|\\\\|%2f|%5c)|(\\.|%2e){1,2}$)",
            Pattern.CASE_INSENSITIVE);

    /** @param base path prefix before the version */
    private record Target(boolean ssl, String host, int port, String base) {

        static Target of(Provider provider, URI address) {
            boolean ssl = "https".equals(address.getScheme());
            return new Target(ssl, address.getHost(), address.getPort() > 0 ? address.getPort() : ssl ? 443 : 80,
                    provider.withoutVersion(address.getRawPath()));
        }
    }

    private final LlmConfig settings;
    private final Map<Provider, Target> targets = new EnumMap<>(Provider.class);
    private final Set<Provider> unreachable = ConcurrentHashMap.newKeySet();
    private final HttpClient plain;
    private final HttpClient tls;

    ProviderConnections(LlmConfig settings, Vertx vertx) {
        this.settings = settings;
        for (var provider : Provider.values()) {
            var uri = parse(
                    settings.of(provider).baseUrl().filter(text -> !text.isBlank()).orElse(provider.defaultBaseUrl()).strip());
            targets.put(provider, Target.of(provider, uri == null ? URI.create(provider.defaultBaseUrl()) : uri));
        }
        this.plain = client(vertx, false);
        this.tls = client(vertx, true);
    }

    private HttpClient client(Vertx vertx, boolean ssl) {
        var options = new HttpClientOptions().setSsl(ssl).setVerifyHost(ssl).setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                .setMaxHeaderSize(MAX_HEADER_BYTES).setMaxInitialLineLength(MAX_HEADER_BYTES);
        return vertx.httpClientBuilder().with(options)
                .with(new PoolOptions().setHttp1MaxSize(Math.max(1, settings.maxConnections())))
                .withConnectHandler(ProviderConnections::onConnect).build();
    }

    private static void onConnect(HttpConnection connection) {
        connection.exceptionHandler(failure -> LOG.debug("Provider connection failed", failure));
        InterimResponseFilter.install(connection);
    }

    private static URI parse(String text) {
        try {
            var uri = new URI(text);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            return http && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawFragment() == null
                    && uri.getRawUserInfo() == null ? uri : null;
        } catch (URISyntaxException e) {
            return null;
        }
    }

    void validate(@Observes ConfigProblems problems) {
        for (var provider : Provider.values()) {
            var property = "rate-limit.llm." + provider.id();
            settings.of(provider).baseUrl().filter(text -> !text.isBlank() && parse(text.strip()) == null)
                    .ifPresent(text -> problems.add(property + ".base-url", "(not shown)",
                            "http://host[:port][/path] or https://…, without user and query"));
            for (var path : settings.of(provider).paths().orElse(List.of())) {
                if (!path.startsWith("/") || !plain(path)) {
                    problems.add(property + ".paths", path, "paths such as /v1/images, separated by commas");
                }
            }
        }
        if (settings.maxConnections() < 1) {
            problems.add("rate-limit.llm.max-connections", Integer.toString(settings.maxConnections()), "1 or more");
        }
        requirePositive(problems, "timeout", settings.timeout());
        requirePositive(problems, "connect-timeout", settings.connectTimeout());
        requirePositive(problems, "drain-timeout", settings.drainTimeout());
        requirePositive(problems, "body-timeout", settings.bodyTimeout());
        long body = settings.maxBodySize().asLongValue();
        if (body < 1 || body > Integer.MAX_VALUE / 2) {
            problems.add("rate-limit.llm.max-body-size", Long.toString(body), "1 to " + Integer.MAX_VALUE / 2 + " bytes");
        }
    }

    private static void requirePositive(ConfigProblems problems, String name, Duration value) {
        if (value.toMillis() < 1 || value.toMillis() > Integer.MAX_VALUE) {
            problems.add("rate-limit.llm." + name, value.toString(), "a duration from 1ms");
        }
    }

    /** Returns whether every server interprets the path in the same way. */
    private static boolean plain(String path) {
        return path.indexOf('%') < 0 && path.indexOf('\\') < 0 && path.indexOf(';') < 0 && !path.contains("//")
                && !path.contains("/.");
    }

    /** Returns whether normalization could turn the path into another one, possibly outside the provider's API. */
    public static boolean escapesPath(String path) {
        return PATH_ESCAPE.matcher(path).find();
    }

    /** Returns whether an unknown path may be called with Sluice's key. */
    boolean isOpen(Provider provider, String path) {
        return plain(path) && settings.of(provider).paths().orElse(List.of()).stream()
                .anyMatch(open -> path.equals(open) || path.startsWith(open.endsWith("/") ? open : open + "/"));
    }

    /** @param target path from the version on, with the query */
    Future<HttpClientRequest> request(Provider provider, HttpMethod method, String target) {
        var upstream = targets.get(provider);
        var options = new RequestOptions().setMethod(method).setHost(upstream.host()).setSsl(upstream.ssl())
                .setPort(upstream.port())
                .setURI(upstream.base() + target).setConnectTimeout(settings.connectTimeout().toMillis())
                .setIdleTimeout(settings.timeout().toMillis());
        return (upstream.ssl() ? tls : plain).request(options)
                .onComplete(connected -> logReachability(provider, upstream, connected.cause()));
    }

    /** Logs a change of reachability, once per change. */
    private void logReachability(Provider provider, Target upstream, Throwable failure) {
        if (failure != null && unreachable.add(provider)) {
            LOG.warnf("%s cannot be reached at %s://%s:%d (%s)", provider.id(), upstream.ssl() ? "https" : "http",
                    upstream.host(),
                    upstream.port(),
                    failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage());
        } else if (failure == null && !unreachable.isEmpty() && unreachable.remove(provider)) {
            LOG.infof("%s can be reached again", provider.id());
        }
    }

    @PreDestroy
    void close() {
        plain.close();
        tls.close();
    }
}
