package dev.sluice.service.proxy.connection;

import java.util.ArrayDeque;
import java.util.Deque;

import dev.sluice.service.edge.LoopTimer;
import dev.sluice.service.proxy.connection.UpstreamException.Cause;
import io.netty.channel.EventLoop;

/**
 * Connections of one event loop to an upstream. Requests that find no free one wait in the order of their arrival, and get
 * whichever becomes free first, a new one or a used one.
 * <p>
 * Confined to its event loop, except where a method says otherwise.
 */
public final class ConnectionPool extends LoopTimer.Timed implements ConnectionLimit.Member {

    /** Shorter than the keep-alive timeout of common servers, so that few connections are used while they are being closed. */
    private static final long KEEP_ALIVE_MILLIS = 4000;

    private final EventLoop loop;
    private final LoopTimer timer;
    private final ConnectionLimit limit;
    private final boolean http2;
    private final Deque<PooledConnection> idle = new ArrayDeque<>();
    private final MultiplexedConnections multiplexed;
    private final WaitQueue waiters;
    private final ConnectionAttempts attempts;
    /** True if the upstream has chosen HTTP/1.1 by ALPN for the last connection. */
    private boolean http2Rejected;
    private boolean shutdown;
    /** Number of connections, those of streams included. */
    private int open;
    /** Number of connections that are idle, or may be: any of HTTP/2. */
    private volatile int idleCount;

    ConnectionPool(EventLoop loop, LoopTimer timer, ConnectionLimit limit, UpstreamConnector connector, boolean http2,
            UpstreamOptions options) {
        this.loop = loop;
        this.timer = timer;
        this.limit = limit;
        this.http2 = http2;
        long queueMillis = options.queueTimeout().toMillis();
        this.waiters = new WaitQueue(limit, queueMillis);
        this.multiplexed = new MultiplexedConnections(limit, this, queueMillis / 2);
        this.attempts = new ConnectionAttempts(loop, connector, 3 * options.connectTimeout().toMillis());
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    /** Returns the timer of the event loop. */
    public LoopTimer timer() {
        return timer;
    }

    @Override
    public boolean hasIdle() {
        return idleCount > 0;
    }

    @Override
    public boolean hasWaiting() {
        return waiters.hasWaiting();
    }

    @Override
    public long waitingSince() {
        return waiters.waitingSince();
    }

    /**
     * Passes a connection to a request: at once if one is available, otherwise when one becomes free or is established.
     *
     * @param fresh whether a connection that has been used before is unsuitable
     */
    public void acquire(ConnectionAcquirer acquirer, boolean fresh) {
        var connection = fresh ? null : takeAvailable();
        if (connection != null) {
            acquirer.onConnection(connection);
            return;
        }
        waiters.add(acquirer, fresh, timer.now());
        timer.register(this);
        openIfNeeded();
    }

    /** No longer waits for a connection; has no effect if the request does not wait. */
    public void cancel(ConnectionAcquirer acquirer) {
        waiters.remove(acquirer);
    }

    private PooledConnection takeAvailable() {
        var shared = multiplexed.findAvailable(timer.now());
        if (shared != null) {
            return shared;
        }
        for (var connection = idle.pollLast(); connection != null; connection = idle.pollLast()) {
            countIdle();
            if (connection.isAvailable()) {
                return connection;
            }
            close(connection);
        }
        return null;
    }

    private void countIdle() {
        idleCount = idle.size() + multiplexed.size();
    }

    /** Opens connections for the requests that wait, as far as the limit allows. */
    @Override
    public void openIfNeeded() {
        while (attempts.size() < attemptsNeeded()) {
            if (!limit.tryOpen()) {
                if (waiters.needsFresh() && closeOldestIdle()) {
                    continue;
                }
                limit.closeIdleOfOthers(this);
                return;
            }
            attempts.begin(timer.now(), this::onConnected, this::onConnectFailed);
        }
    }

    private int attemptsNeeded() {
        return isMultiplexing() ? Math.min(1, waiters.size()) : waiters.size();
    }

    private boolean isMultiplexing() {
        return http2 && !http2Rejected;
    }

    private void onConnected(PooledConnection connection) {
        open++;
        connection.onFree(() -> reuse(connection));
        connection.http().closeHandler(closed -> onClosed(connection));
        if (connection.isMultiplexed()) {
            http2Rejected = false;
            multiplexed.add(connection);
            countIdle();
            connection.setIdleSince(timer.now());
            connection.http().concurrencyChangeHandler(concurrency -> serveMultiplexed());
            connection.http().evictionHandler(gone -> retire(connection));
            timer.register(this);
            serveMultiplexed();
            if (connection.activeStreams() == 0) { // the requests have left
                reuse(connection);
            }
        } else {
            connection.http().evictionHandler(closing -> onClosed(connection)); // before the channel is closed
            http2Rejected = http2;
            offer(connection);
        }
        openIfNeeded();
    }

    private void onConnectFailed(UpstreamException failure) {
        limit.onClosed();
        int failed = isMultiplexing() ? waiters.size() : Math.min(1, waiters.size());
        for (int i = 0; i < failed; i++) {
            waiters.removeFirst().onConnectionFailure(failure);
        }
        openIfNeeded();
        closeConnectorIfDone();
    }

    private void serveMultiplexed() {
        while (!waiters.isEmpty()) {
            var connection = takeAvailable();
            if (connection == null) {
                return;
            }
            waiters.removeFirst().onConnection(connection);
        }
    }

    /** Gives a free HTTP/1.1 connection to a request that waits, or keeps it. */
    private void offer(PooledConnection connection) {
        for (var acquirer = waiters.pollFor(connection); acquirer != null; acquirer = waiters.pollFor(connection)) {
            if (acquirer.onConnection(connection)) {
                return;
            }
        }
        if (shutdown) {
            close(connection);
            return;
        }
        idle.addLast(connection);
        countIdle();
        connection.setIdleSince(timer.now());
        timer.register(this);
        if (!waiters.isEmpty()) {
            openIfNeeded();
        } else if (limit.isContended()) {
            closeOldestIdle();
        }
    }

    /** Takes a connection back whose exchange has ended. */
    public void release(PooledConnection connection) {
        connection.end();
        if (!connection.isClosed()) {
            connection.free();
        }
    }

    private void reuse(PooledConnection connection) {
        if (connection.isClosed() || !connection.http().channel().isActive()) {
            return;
        }
        if (connection.isMultiplexed()) {
            connection.setIdleSince(timer.now());
            if (connection.isExhausted() || shutdown) {
                retire(connection);
            } else if (connection.activeStreams() == 0 && (!multiplexed.contains(connection) || isNeededElsewhere())) {
                close(connection);
            }
            serveMultiplexed();
        } else if (connection.isStream() && !endStream(connection)
                || limit.isContended() && limit.hasWaitedLongerElsewhere(this)) {
            close(connection);
        } else {
            offer(connection);
        }
    }

    private boolean isNeededElsewhere() {
        return limit.isContended() && (waiters.isEmpty() || limit.hasWaitedLongerElsewhere(this));
    }

    /** Begins no further stream on an HTTP/2 connection, and closes it when the last one has ended. */
    private void retire(PooledConnection connection) {
        if (multiplexed.remove(connection)) {
            countIdle();
            connection.failUnopened();
        }
        if (connection.activeStreams() == 0) {
            close(connection);
        }
        openIfNeeded();
    }

    /**
     * Counts a connection as that of a stream: it does not use up the connections of requests. One of HTTP/2 is not counted: it
     * carries requests too.
     *
     * @return false if there are too many streams
     */
    public boolean tryBeginStream(PooledConnection connection) {
        if (!connection.isMultiplexed() && !connection.isStream() && !connection.isClosed()) {
            connection.setStream(limit.tryConvertToStream());
            return connection.isStream();
        }
        return true;
    }

    private boolean endStream(PooledConnection connection) {
        if (limit.tryConvertFromStream()) {
            connection.setStream(false);
            return true;
        }
        return false;
    }

    /** @return whether there was one */
    @Override
    public boolean closeOldestIdle() {
        var oldest = idle.isEmpty() ? multiplexed.findIdle() : idle.peekFirst();
        if (oldest == null) {
            return false;
        }
        close(oldest);
        return true;
    }

    /** Closes a connection, which is not counted from now on. */
    void close(PooledConnection connection) {
        onClosed(connection);
        connection.http().close();
    }

    private void onClosed(PooledConnection connection) {
        if (connection.isClosed()) {
            return;
        }
        connection.setClosed();
        open--;
        if (multiplexed.remove(connection) | idle.remove(connection)) {
            countIdle();
        }
        connection.failUnopened();
        if (connection.isStream()) {
            limit.onStreamClosed();
        } else {
            limit.onClosed();
        }
        closeConnectorIfDone();
    }

    @Override
    protected void onTick(long now) {
        while (!idle.isEmpty() && now - idle.peekFirst().idleSince() >= KEEP_ALIVE_MILLIS) {
            close(idle.peekFirst());
        }
        for (var connection : multiplexed.copy()) {
            if (connection.activeStreams() == 0 && now - connection.idleSince() >= 10 * KEEP_ALIVE_MILLIS) {
                close(connection);
            }
        }
        attempts.expire(now);
        if (attempts.isEmpty() && !multiplexed.isEmpty()) {
            serveMultiplexed(); // requests for which a connection has yielded in vain
        }
        expireWaiters(now);
        if (idle.isEmpty() && multiplexed.isEmpty() && waiters.isEmpty() && attempts.isEmpty()) {
            timer.unregister(this);
        }
    }

    /** Fails the requests that have waited too long; those whose connection is being established fail with it. */
    private void expireWaiters(long now) {
        while (waiters.size() > attempts.size() && !(isMultiplexing() && !attempts.isEmpty())
                && waiters.isExpired(now)) {
            waiters.removeFirst().onConnectionFailure(new UpstreamException(Cause.NO_FREE_CONNECTION, null));
        }
    }

    /** Closes all connections that are not in use, and each other one when its last exchange has ended. */
    void shutdown() {
        shutdown = true;
        while (!idle.isEmpty()) {
            close(idle.peekFirst());
        }
        multiplexed.copy().forEach(this::retire);
        closeConnectorIfDone();
    }

    /** Closes the connector after the last connection: it closes those that it has opened. */
    private void closeConnectorIfDone() {
        if (shutdown && open == 0 && waiters.isEmpty() && attempts.isEmpty()) {
            attempts.close();
        }
    }
}
