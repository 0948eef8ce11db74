package dev.sluice.service.proxy.connection;

import java.net.ConnectException;
import java.net.InetAddress;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import io.netty.channel.ConnectTimeoutException;
import io.vertx.core.Future;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.impl.HttpClientConnection;
import io.vertx.core.http.impl.HttpClientImpl;
import io.vertx.core.impl.CloseFuture;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.SocketAddress;

/**
 * Opens connections of one event loop. Looks the host up on another thread, for each connection: the JVM caches addresses, and
 * Quarkus configures Vert.x to look them up on the event loop. Tries the other addresses of the host if the one that the resolver
 * prefers refuses the connection: {@code localhost} may be served at {@code ::1} only. Such an address is preferred for a second,
 * so that not every connection begins with an attempt that fails.
 */
final class UpstreamConnector {

    /** Looks up the addresses of a host. Runs on a worker thread. */
    @FunctionalInterface
    interface Resolver {

        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private static final long MAX_FALLBACK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ContextInternal context;
    private final HttpClientImpl client;
    private final UpstreamUrl url;
    private final Resolver resolver;
    private final Supplier<HttpClientOptions> tls;
    private final UnaryOperator<HttpClientOptions> options;
    private HttpClientOptions appliedTls;
    /** Host that the certificate must name. */
    private final SocketAddress peer;
    /** Address to which the last fallback has connected; null after a failure. */
    private SocketAddress fallback;
    private long fallbackSince;
    /** The last look-up; null before the first one. */
    private Future<List<InetAddress>> resolving;

    /**
     * @param tls TLS settings; connections use them from the time at which it returns another object
     * @param options adds the other settings
     */
    UpstreamConnector(VertxInternal vertx, ContextInternal context, UpstreamUrl url, Supplier<HttpClientOptions> tls,
            UnaryOperator<HttpClientOptions> options) {
        this(vertx, context, url, tls, options, InetAddress::getAllByName);
    }

    UpstreamConnector(VertxInternal vertx, ContextInternal context, UpstreamUrl url, Supplier<HttpClientOptions> tls,
            UnaryOperator<HttpClientOptions> options, Resolver resolver) {
        this.context = context;
        this.resolver = resolver;
        this.tls = tls;
        this.options = options;
        this.appliedTls = tls.get();
        var closeFuture = new CloseFuture();
        this.client = new HttpClientImpl(vertx, options.apply(appliedTls), new PoolOptions().setCleanerPeriod(0), closeFuture);
        vertx.closeFuture().add(closeFuture);
        this.url = url;
        this.peer = SocketAddress.inetSocketAddress(url.port(), url.certificateName());
    }

    /** Opens a connection; calls one of the arguments on the event loop, possibly before this method returns. */
    void connect(Consumer<PooledConnection> onConnected, Consumer<UpstreamException> onFailed) {
        var currentTls = tls.get();
        if (currentTls != appliedTls) {
            appliedTls = currentTls;
            client.updateSSLOptions(options.apply(currentTls).getSslOptions(), true); // the next connection waits for it
        }
        if (fallback != null && System.nanoTime() - fallbackSince < MAX_FALLBACK_NANOS) {
            connect(fallback, onConnected, failure -> connectToHost(onConnected, onFailed));
        } else {
            connectToHost(onConnected, onFailed);
        }
    }

    private void connectToHost(Consumer<PooledConnection> onConnected, Consumer<UpstreamException> onFailed) {
        fallback = null;
        resolve().onComplete(resolved -> {
            if (resolved.failed()) {
                onFailed.accept(UpstreamException.connecting(resolved.cause()));
            } else {
                connectToFirst(new ArrayDeque<>(resolved.result()), null, onConnected, onFailed);
            }
        });
    }

    /** Returns the addresses of the host. One look-up at a time, however many connections wait for it: it occupies a thread. */
    private Future<List<InetAddress>> resolve() {
        if (resolving == null || resolving.isComplete()) {
            resolving = context.executeBlocking(() -> List.of(resolver.resolve(url.host())), false);
        }
        return resolving;
    }

    /** @param refused failure of an address that was preferred; null before the first one */
    private void connectToFirst(Queue<InetAddress> addresses, Throwable refused, Consumer<PooledConnection> onConnected,
            Consumer<UpstreamException> onFailed) {
        var address = addresses.poll();
        if (address == null) {
            onFailed.accept(UpstreamException.connecting(refused));
            return;
        }
        var candidate = SocketAddress.inetSocketAddress(url.port(), address.getHostAddress());
        connect(candidate, connection -> {
            if (refused != null) {
                fallback = candidate;
                fallbackSince = System.nanoTime();
            }
            onConnected.accept(connection);
        }, failure -> {
            if (refused == null && !isRefused(failure)) {
                onFailed.accept(UpstreamException.connecting(failure));
            } else {
                connectToFirst(addresses, isRefused(failure) && refused != null ? refused : failure, onConnected, onFailed);
            }
        });
    }

    private static boolean isRefused(Throwable failure) {
        return failure instanceof ConnectException && !(failure instanceof ConnectTimeoutException)
                || failure instanceof NoRouteToHostException;
    }

    private void connect(SocketAddress address, Consumer<PooledConnection> onConnected, Consumer<Throwable> onFailed) {
        context.emit(address, target -> client.connect(target, peer).onComplete(connected -> {
            if (connected.succeeded()) {
                onConnected.accept(pooled(connected.result()));
            } else {
                onFailed.accept(connected.cause());
            }
        }));
    }

    private static PooledConnection pooled(HttpClientConnection connection) {
        // A pending request receives the failure itself; without one there is nothing to report.
        connection.exceptionHandler(failure -> {
        });
        return new PooledConnection(connection);
    }

    void close() {
        client.close();
    }
}
