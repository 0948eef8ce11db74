package dev.sluice.service.proxy.connection;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import dev.sluice.service.edge.LoopTimer;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;

/**
 * Connections to an upstream. Each event loop has a pool of its own, so that both sides of a request are served by one thread; the
 * limits of connections apply to all loops together. Thread-safe, except where a method says otherwise.
 */
public final class UpstreamConnections {

    /** Timer and pools of one event loop. */
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
    private final UpstreamUrl url;
    private final UpstreamOptions options;
    private final Supplier<HttpClientOptions> tlsOptions;
    private final ConnectionLimit limit;
    private final FastThreadLocal<Loop> loops = new FastThreadLocal<>();
    private final List<ConnectionPool> pools = new CopyOnWriteArrayList<>();

    /** @param tlsOptions returns the TLS settings, and another object when they change; see {@link UpstreamTls#options} */
    public UpstreamConnections(VertxInternal vertx, UpstreamUrl url, UpstreamOptions options,
            Supplier<HttpClientOptions> tlsOptions) {
        this.vertx = vertx;
        this.url = url;
        this.options = options;
        this.tlsOptions = tlsOptions;
        this.limit = new ConnectionLimit(options.maxConnections(), options.maxStreams());
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

    /**
     * Returns the pool of the event loop of a context, on which the caller must run.
     *
     * @param upgrade whether the connection is to be upgraded, which needs HTTP/1.1
     * @throws IllegalStateException if the caller does not run on it
     */
    public ConnectionPool pool(ContextInternal context, boolean upgrade) {
        if (!context.nettyEventLoop().inEventLoop()) {
            throw new IllegalStateException("The request belongs to another event loop");
        }
        var loop = loops.get();
        if (loop == null) {
            loop = new Loop(context.nettyEventLoop());
            loops.set(loop);
        }
        return upgrade ? loop.upgradePool : loop.pool;
    }

    /** Returns the number of open connections, without those of streams. */
    public int connections() {
        return limit.connections();
    }

    /** Returns the number of open connections that carry an event stream or a WebSocket. */
    public int streams() {
        return limit.streams();
    }

    /** Closes the connections that are not in use, and each other one when its last exchange has ended. */
    public void close() {
        pools.forEach(pool -> pool.loop().execute(pool::shutdown));
    }
}
