package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

import org.jboss.logging.Logger;

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

    private static final Logger LOG = Logger.getLogger(Upstream.class);
    private static final Duration ABORT_TIMEOUT = Duration.ofSeconds(2);

    private final String name;
    private final UpstreamUrl url;
    private final UpstreamOptions options;
    private final UpstreamConnections connections;
    private final ExchangesInFlight inFlight = new ExchangesInFlight();
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
        this.metrics = new UpstreamMetrics(registry, name, connections, inFlight);
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

    ExchangesInFlight inFlight() {
        return inFlight;
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

    /**
     * Aborts the exchanges that are still in flight when the service stops, so that their calls are settled while Redis can be reached.
     * Waits until the clients' responses have ended, for up to two seconds; not for an event loop.
     */
    public static void abortExchanges(Collection<Upstream> upstreams) {
        upstreams.forEach(Upstream::logInFlight);
        try {
            CompletableFuture
                    .allOf(upstreams.stream().map(upstream -> upstream.inFlight.abort()).toArray(CompletableFuture[]::new))
                    .get(ABORT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("Requests in flight could not be aborted before the service stops", e);
        }
    }

    private void logInFlight() {
        int requests = inFlight.count();
        if (requests > 0) {
            LOG.warnf("Aborting requests that were not complete within quarkus.shutdown.timeout: upstream=%s requests=%d", name,
                    requests);
        }
    }

    /** Closes the connections that are not in use. */
    public void close() {
        connections.close();
    }
}
