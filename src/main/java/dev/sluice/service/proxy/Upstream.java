package dev.sluice.service.proxy;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import dev.sluice.service.edge.LoopTimer;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;

/**
 * Server to which requests are forwarded: its address, its connections, and what is known about its health. Each event loop has
 * connections of its own, so that both sides of a request are served by one thread.
 */
public final class Upstream {

    /** Timer and connections of one event loop. */
    private final class Loop {

        private final ContextInternal context;
        private final LoopTimer timer;
        private final ConnectionPool pool;
        /** Connections for WebSockets, which need HTTP/1.1; the other pool if that uses HTTP/1.1 too. */
        private final ConnectionPool upgradePool;

        Loop(EventLoop loop) {
            this.context = vertx.createEventLoopContext(loop, null, Thread.currentThread().getContextClassLoader());
            this.timer = new LoopTimer(loop, options.tickMillis());
            this.pool = pool(loop, options.http2());
            this.upgradePool = options.http2() ? pool(loop, false) : pool;
        }

        private ConnectionPool pool(EventLoop loop, boolean http2) {
            var connector = new UpstreamConnector(vertx, context, url, tlsOptions, tls -> clientOptions(tls, http2));
            var created = new ConnectionPool(loop, timer, limit, connector, http2, options);
            limit.add(created);
            pools.add(created);
            return created;
        }
    }

    private final VertxInternal vertx;
    private final String name;
    private final UpstreamUrl url;
    private final UpstreamOptions options;
    private final Supplier<HttpClientOptions> tlsOptions;
    private final ConnectionLimit limit;
    private final UpstreamMetrics metrics;
    private final UpstreamHealth health;
    private final WebSocketTunnels tunnels;
    private final FastThreadLocal<Loop> loops = new FastThreadLocal<>();
    private final List<ConnectionPool> pools = new CopyOnWriteArrayList<>();

    /**
     * @param name name in metrics and log
     * @param tlsOptions returns trust store, client certificate and further TLS settings, and another object when they change
     * @param tunnels registry of open WebSockets
     */
    public Upstream(Vertx vertx, String name, UpstreamUrl url, UpstreamOptions options, Supplier<HttpClientOptions> tlsOptions,
            MeterRegistry registry, WebSocketTunnels tunnels) {
        this.vertx = (VertxInternal) vertx;
        this.name = name;
        this.url = url;
        this.options = options;
        this.tlsOptions = tlsOptions;
        this.limit = new ConnectionLimit(options.maxConnections(), options.maxStreams());
        this.metrics = new UpstreamMetrics(registry, name, limit);
        this.health = new UpstreamHealth(name, url);
        this.tunnels = tunnels;
    }

    private HttpClientOptions clientOptions(HttpClientOptions tls, boolean http2) {
        var client = new HttpClientOptions(tls).setSsl(url.tls())
                .setConnectTimeout((int) options.connectTimeout().toMillis())
                .setSslHandshakeTimeout(Math.max(1, options.connectTimeout().toMillis()))
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                .setForceSni(url.tls() && url.isServerName())
                .setHttp2KeepAliveTimeout(0) // a connection is closed by its pool
                .setProtocolVersion(http2 ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1);
        return http2 ? client.setUseAlpn(url.tls()).setHttp2ClearTextUpgrade(false) : client.setUseAlpn(false);
    }

    private Loop loop(ContextInternal context) {
        var loop = loops.get();
        if (loop == null) {
            loop = new Loop(context.nettyEventLoop());
            loops.set(loop);
        }
        return loop;
    }

    /** Returns the pool of the event loop of a context, on which the caller must run. */
    ConnectionPool pool(ContextInternal context, boolean upgrade) {
        var loop = loop(context);
        return upgrade ? loop.upgradePool : loop.pool;
    }

    /** Returns the name in metrics and log. */
    public String name() {
        return name;
    }

    /** Returns the address. */
    public UpstreamUrl url() {
        return url;
    }

    UpstreamOptions options() {
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
        pools.forEach(pool -> pool.loop().execute(pool::shutdown));
    }
}
