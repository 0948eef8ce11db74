package dev.sluice.service.proxy.connection;

import java.util.ArrayList;
import java.util.List;

/**
 * HTTP/2 connections of one event loop that begin streams. One begins none while it yields: another event loop has waited longer for
 * its place. Confined to its event loop.
 */
final class MultiplexedConnections {

    private final ConnectionLimit limit;
    private final ConnectionLimit.Member pool;
    /** Time after which the other event loop has waited in vain, and the connection is used again. */
    private final long maxYieldingMillis;
    private final List<PooledConnection> connections = new ArrayList<>();

    MultiplexedConnections(ConnectionLimit limit, ConnectionLimit.Member pool, long maxYieldingMillis) {
        this.limit = limit;
        this.pool = pool;
        this.maxYieldingMillis = maxYieldingMillis;
    }

    boolean isEmpty() {
        return connections.isEmpty();
    }

    int size() {
        return connections.size();
    }

    void add(PooledConnection connection) {
        connections.add(connection);
    }

    /** @return whether it was there */
    boolean remove(PooledConnection connection) {
        return connections.remove(connection);
    }

    boolean contains(PooledConnection connection) {
        return connections.contains(connection);
    }

    /** Returns a copy, which does not change when connections are removed. */
    List<PooledConnection> copy() {
        return List.copyOf(connections);
    }

    /** Returns a connection that can begin a stream; null if there is none. */
    PooledConnection findAvailable(long now) {
        for (var connection : connections) {
            if (connection.isAvailable() && !isYielding(connection, now)) {
                return connection;
            }
        }
        return null;
    }

    private boolean isYielding(PooledConnection connection, long now) {
        if (!limit.isContended() || !limit.hasWaitedLongerElsewhere(pool)) {
            connection.stopYielding();
            return false;
        }
        return connection.yieldingMillis(now) < maxYieldingMillis;
    }

    /** Returns a connection without streams; null if there is none. */
    PooledConnection findIdle() {
        for (var connection : connections) {
            if (connection.activeStreams() == 0) {
                return connection;
            }
        }
        return null;
    }
}
