package dev.sluice.service.proxy.connection;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

import dev.sluice.service.proxy.connection.UpstreamException.Cause;
import io.netty.channel.EventLoop;

/**
 * Connections of one event loop that are being established, with a timeout: a connection that comes later is closed. Confined to its
 * event loop.
 */
final class ConnectionAttempts {

    /** Compared by identity: several may begin at the same time. */
    private static final class Attempt {

        private final long startedAt;
        private final Consumer<UpstreamException> onFailed;

        Attempt(long startedAt, Consumer<UpstreamException> onFailed) {
            this.startedAt = startedAt;
            this.onFailed = onFailed;
        }
    }

    private final EventLoop loop;
    private final UpstreamConnector connector;
    private final long timeoutMillis;
    private final Set<Attempt> attempts = new LinkedHashSet<>();

    /** @param timeoutMillis for all addresses of a host together, and for the settings of an HTTP/2 connection */
    ConnectionAttempts(EventLoop loop, UpstreamConnector connector, long timeoutMillis) {
        this.loop = loop;
        this.connector = connector;
        this.timeoutMillis = timeoutMillis;
    }

    boolean isEmpty() {
        return attempts.isEmpty();
    }

    int size() {
        return attempts.size();
    }

    /**
     * Begins to establish a connection. One of the arguments is called when the attempt has ended, and is no longer counted. A failure
     * is never reported before this method returns: the caller would begin the next attempt within it.
     */
    void begin(long now, Consumer<PooledConnection> onConnected, Consumer<UpstreamException> onFailed) {
        var attempt = new Attempt(now, onFailed);
        attempts.add(attempt);
        connector.connect(connection -> {
            if (attempts.remove(attempt)) {
                onConnected.accept(connection);
            } else {
                closeLate(connection);
            }
        }, failure -> loop.execute(() -> fail(attempt, failure)));
    }

    private static void closeLate(PooledConnection connection) {
        connection.setClosed();
        connection.http().evictionHandler(closing -> {
        });
        connection.http().close();
    }

    private void fail(Attempt attempt, UpstreamException failure) {
        if (attempts.remove(attempt)) {
            attempt.onFailed.accept(failure);
        }
    }

    /** Fails the attempts that have taken too long. */
    void expire(long now) {
        for (var attempt : List.copyOf(attempts)) {
            if (now - attempt.startedAt >= timeoutMillis) {
                fail(attempt, new UpstreamException(Cause.CONNECT_TIMEOUT, null));
            }
        }
    }

    /** Closes the connector, which closes all connections that it has opened. */
    void close() {
        connector.close();
    }
}
