package dev.sluice.service.proxy.connection;

import java.time.Duration;

/**
 * Limits of the connections to an upstream.
 *
 * @param connectTimeout maximum time to establish a connection, including the TLS handshake
 * @param queueTimeout maximum time to wait for a free connection
 * @param responseTimeout maximum time until the upstream begins its response
 * @param idleTimeout maximum time without a byte in the middle of a response
 * @param eventStreamIdleTimeout the same for event streams and gRPC calls
 * @param webSocketIdleTimeout maximum time without a byte on a WebSocket
 * @param maxConnections maximum number of connections, without those of streams
 * @param maxStreams maximum number of connections that carry an event stream or a WebSocket
 * @param http2 whether to use HTTP/2: with prior knowledge on plain connections, by ALPN on TLS
 */
public record UpstreamOptions(Duration connectTimeout, Duration queueTimeout, Duration responseTimeout, Duration idleTimeout,
        Duration eventStreamIdleTimeout, Duration webSocketIdleTimeout, int maxConnections, int maxStreams, boolean http2) {

    /** Returns the interval at which timeouts are checked: a tenth of the shortest one, but 10 ms to 1 s. */
    long tickMillis() {
        long shortest = Long.MAX_VALUE;
        for (var timeout : new Duration[]{queueTimeout, responseTimeout, idleTimeout, eventStreamIdleTimeout,
                webSocketIdleTimeout}) {
            shortest = Math.min(shortest, timeout.toMillis());
        }
        return Math.max(10, Math.min(1000, shortest / 10));
    }
}
