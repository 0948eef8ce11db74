package dev.sluice.service.proxy.connection;

/** Receives a connection of a {@link ConnectionPool}. Called on the event loop of the pool, in any context. */
public interface ConnectionAcquirer {

    /**
     * A connection is available. It must be given back by {@link ConnectionPool#release}.
     *
     * @return false if the connection is no longer needed; it is not given back then
     */
    boolean onConnection(PooledConnection connection);

    /** No connection could be established, or none was free within the queue timeout. */
    void onConnectionFailure(UpstreamException failure);
}
