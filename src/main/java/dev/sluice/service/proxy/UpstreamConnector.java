package dev.sluice.service.proxy;

import java.net.ConnectException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

import io.netty.channel.ConnectTimeoutException;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.impl.HttpClientConnection;
import io.vertx.core.http.impl.HttpClientImpl;
import io.vertx.core.impl.CloseFuture;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.SocketAddress;

/**
 * Opens connections of one event loop. Tries the other addresses of the host if the one that the resolver prefers refuses the
 * connection: {@code localhost} may be served at {@code ::1} only.
 */
final class UpstreamConnector {

    private final ContextInternal context;
    private final HttpClientImpl client;
    private final UpstreamUrl url;
    private final Supplier<HttpClientOptions> tls;
    private final UnaryOperator<HttpClientOptions> options;
    private HttpClientOptions appliedTls;
    private final SocketAddress named;
    /** Host that the certificate must name. */
    private final SocketAddress peer;
    /** Address that has worked last; otherwise the host name. */
    private SocketAddress server;

    /**
     * @param tls TLS settings; connections use them from the time at which it returns another object
     * @param options adds the other settings
     */
    UpstreamConnector(VertxInternal vertx, ContextInternal context, UpstreamUrl url, Supplier<HttpClientOptions> tls,
            UnaryOperator<HttpClientOptions> options) {
        this.context = context;
        this.tls = tls;
        this.options = options;
        this.appliedTls = tls.get();
        var closeFuture = new CloseFuture();
        this.client = new HttpClientImpl(vertx, options.apply(appliedTls), new PoolOptions().setCleanerPeriod(0), closeFuture);
        vertx.closeFuture().add(closeFuture);
        this.url = url;
        this.named = SocketAddress.inetSocketAddress(url.port(), url.host());
        this.peer = SocketAddress.inetSocketAddress(url.port(), url.certificateName());
        this.server = named;
    }

    /** Opens a connection; calls one of the arguments on the event loop. */
    void connect(Consumer<PooledConnection> onConnected, Consumer<UpstreamException> onFailed) {
        var currentTls = tls.get();
        if (currentTls != appliedTls) {
            appliedTls = currentTls;
            client.updateSSLOptions(options.apply(currentTls).getSslOptions(), true); // the next connection waits for it
        }
        connect(server, onConnected, failure -> {
            if (failure instanceof ConnectException && !(failure instanceof ConnectTimeoutException) && !url.isIpAddress()) {
                connectToOtherAddress(failure, onConnected, onFailed);
            } else {
                server = named;
                onFailed.accept(UpstreamException.connecting(failure));
            }
        });
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

    private void connectToOtherAddress(Throwable failure, Consumer<PooledConnection> onConnected,
            Consumer<UpstreamException> onFailed) {
        context.<List<InetAddress>>executeBlocking(() -> resolve(url.host()), false).onComplete(resolved -> {
            var addresses = resolved.succeeded() ? resolved.result() : List.<InetAddress>of();
            if (addresses.size() < 2) {
                server = named;
                onFailed.accept(UpstreamException.connecting(failure));
            } else {
                connectToFirst(new ArrayDeque<>(addresses), failure, onConnected, onFailed);
            }
        });
    }

    private void connectToFirst(Queue<InetAddress> addresses, Throwable failure, Consumer<PooledConnection> onConnected,
            Consumer<UpstreamException> onFailed) {
        var address = addresses.poll();
        if (address == null) {
            server = named;
            onFailed.accept(UpstreamException.connecting(failure));
            return;
        }
        var candidate = SocketAddress.inetSocketAddress(url.port(), address.getHostAddress());
        connect(candidate, connection -> {
            server = candidate;
            onConnected.accept(connection);
        }, next -> connectToFirst(addresses, next instanceof ConnectException ? failure : next, onConnected, onFailed));
    }

    private static List<InetAddress> resolve(String host) throws UnknownHostException {
        return Arrays.asList(InetAddress.getAllByName(host));
    }

    void close() {
        client.close();
    }
}
