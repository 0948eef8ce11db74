package dev.sluice.service.gateway;

import java.util.List;
import java.util.Optional;

import jakarta.annotation.PreDestroy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.proxy.Upstream;
import dev.sluice.service.proxy.WebSocketTunnels;
import dev.sluice.service.proxy.connection.UpstreamOptions;
import dev.sluice.service.proxy.connection.UpstreamTls;
import dev.sluice.service.proxy.connection.UpstreamUrl;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;

/** The API behind the gateway, as configured by {@code rate-limit.upstream}. */
@ApplicationScoped
public class ApiUpstream {

    private static final String PREFIX = "rate-limit.upstream.";

    private final ServiceConfig.Upstream settings;
    private final UpstreamTls tls;
    private final UpstreamUrl url;
    private final Upstream upstream;

    ApiUpstream(ServiceConfig settings, Vertx vertx, UpstreamTls tls, MeterRegistry registry, WebSocketTunnels tunnels) {
        this.settings = settings.upstream();
        this.tls = tls;
        this.url = configuredUrl().map(UpstreamUrl::parse).orElse(null);
        this.upstream = url == null
                ? null
                : new Upstream(vertx, "api", url, options(), tls.options(this.settings.tlsConfigurationName()), registry,
                        tunnels);
    }

    private Optional<String> configuredUrl() {
        return settings.url().map(String::strip).filter(text -> !text.isEmpty());
    }

    private UpstreamOptions options() {
        return new UpstreamOptions(settings.connectTimeout(), settings.queueTimeout(), settings.timeout(),
                settings.idleTimeout(), settings.eventStreamIdleTimeout(), settings.webSocketIdleTimeout(),
                settings.maxConnections(), settings.maxStreams(), settings.http2());
    }

    void validate(@Observes ConfigProblems problems) {
        if (url == null && configuredUrl().isPresent()) {
            problems.add("UPSTREAM_URL", "(not shown)",
                    "http://host[:port][/path] or https://…, without user, query and fragment");
        }
        problems.checkDuration(PREFIX + "connect-timeout", settings.connectTimeout());
        problems.checkDuration(PREFIX + "queue-timeout", settings.queueTimeout());
        problems.checkDuration(PREFIX + "timeout", settings.timeout());
        problems.checkDuration(PREFIX + "idle-timeout", settings.idleTimeout());
        problems.checkDuration(PREFIX + "event-stream-idle-timeout", settings.eventStreamIdleTimeout());
        problems.checkDuration(PREFIX + "websocket-idle-timeout", settings.webSocketIdleTimeout());
        if (settings.webSocketGracePeriod().isNegative()) {
            problems.add(PREFIX + "websocket-grace-period", settings.webSocketGracePeriod().toString(), "0s or more");
        }
        checkPositive(problems, "max-connections", settings.maxConnections());
        checkPositive(problems, "max-streams", settings.maxStreams());
        tls.validate(problems, PREFIX + "tls-configuration-name", settings.tlsConfigurationName());
    }

    private static void checkPositive(ConfigProblems problems, String name, int value) {
        if (value < 1) {
            problems.add(PREFIX + name, Integer.toString(value), "1 or more");
        }
    }

    /** Returns the address, if one is configured. */
    public Optional<UpstreamUrl> url() {
        return Optional.ofNullable(url);
    }

    /** Returns the upstream; null if none is configured. */
    Upstream upstream() {
        return upstream;
    }

    /** Runs before accounts are closed and Redis is disconnected. */
    void stop(@Observes @Priority(1) ShutdownEvent stopping) {
        if (upstream != null) {
            Upstream.abortExchanges(List.of(upstream));
        }
    }

    @PreDestroy
    void close() {
        if (upstream != null) {
            upstream.close();
        }
    }
}
