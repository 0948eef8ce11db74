package dev.sluice.service.proxy;

import java.util.function.Supplier;

import dev.sluice.service.proxy.connection.ConnectionPool;
import dev.sluice.service.proxy.connection.UpstreamConnections;
import dev.sluice.service.proxy.connection.UpstreamOptions;
import dev.sluice.service.proxy.connection.UpstreamUrl;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;

/**
 * Server to which requests are forwarded: its address, its connections, and what is known about its health.
 */
public final class Upstream {

    private final String name;
    private final UpstreamUrl url;
    private final UpstreamOptions options;
    private final UpstreamConnections connections;
    private final UpstreamMetrics metrics;
    private final UpstreamHealth health;
    private final WebSocketTunnels tunnels;

    /**
     * @param name name in metrics and log
     * @param tlsOptions returns trust store, client certificate and further TLS settings, and another object when they change
     * @param tunnels registry of open WebSockets
     */
    public Upstream(Vertx vertx, String name, UpstreamUrl url, UpstreamOptions options, Supplier<HttpClientOptions> tlsOptions,
            MeterRegistry registry, WebSocketTunnels tunnels) {
        this.name = name;
        this.url = url;
        this.options = options;
        this.connections = new UpstreamConnections((VertxInternal) vertx, url, options, tlsOptions);
        this.metrics = new UpstreamMetrics(registry, name, connections);
        this.health = new UpstreamHealth(name, url);
        this.tunnels = tunnels;
    }

    /** Returns the pool of the event loop of a context, on which the caller must run. */
    ConnectionPool pool(ContextInternal context, boolean upgrade) {
        return connections.pool(context, upgrade);
    }

    /** Returns the name in metrics and log. */
    public String name() {
        return name;
    }

    /** Returns the address. */
    public UpstreamUrl url() {
        return url;
    }

    public UpstreamOptions options() {
        return options;
    }

    UpstreamMetrics metrics() {
        return metrics;
    }

    UpstreamHealth health() {
        return health;
    }

    WebSocketTunnels tunnels() {
        return tunnels;
    }

    /** Closes the connections that are not in use. */
    public void close() {
        connections.close();
    }
}
