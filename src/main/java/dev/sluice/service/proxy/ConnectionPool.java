package dev.sluice.service.proxy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import dev.sluice.service.edge.LoopTimer;
import dev.sluice.service.proxy.UpstreamException.Cause;
import io.netty.channel.EventLoop;

/**
 * Connections of one event loop to an upstream. Requests that find no free one wait in the order of their arrival, and get
 * whichever becomes free first, a new one or a used one.
 * <p>
 * Confined to its event loop, except where a method says otherwise.
 */
final class ConnectionPool extends LoopTimer.Timed implements ConnectionLimit.Member {

    /** Receives a connection. Called on the event loop, in any context. */
    interface Acquirer {

        /** @return false if the connection is no longer needed */
        boolean onConnection(PooledConnection connection);

        void onConnectionFailure(UpstreamException failure);
    }

    /** Shorter than the keep-alive timeout of common servers, so that few connections are used while they are being closed. */
    private static final long KEEP_ALIVE_MILLIS = 4000;

    /** @param fresh whether a connection that has been used before is unsuitable */
    private record Waiter(Acquirer acquirer, boolean fresh, long sinceNanos, long sinceMillis) {
    }

    /** Connection that is being established. */
    private static final class Attempt {

        private final long startedAt;

        Attempt(long startedAt) {
            this.startedAt = startedAt;
        }
    }

    private final EventLoop loop;
    private final LoopTimer timer;
    private final ConnectionLimit limit;
    private final UpstreamConnector connector;
    private final boolean http2;
    private final long queueMillis;
    /** Maximum time for all attempts at the addresses of a host, and for the settings of an HTTP/2 connection. */
    private final long attemptMillis;
    private final Deque<PooledConnection> idle = new ArrayDeque<>();
    private final List<PooledConnection> multiplexed = new ArrayList<>();
    private final Deque<Waiter> waiters = new ArrayDeque<>();
    private final Set<Attempt> attempts = new LinkedHashSet<>();
    /** True if the upstream has chosen HTTP/1.1 by ALPN. */
    private boolean http2Rejected;
    private volatile int idleCount;
    /** Time since which the first waiter waits. */
    private volatile long waitingSince;
    private volatile boolean hasWaiting;

    ConnectionPool(EventLoop loop, LoopTimer timer, ConnectionLimit limit, UpstreamConnector connector, boolean http2,
            UpstreamOptions options) {
        this.loop = loop;
        this.timer = timer;
        this.limit = limit;
        this.connector = connector;
        this.http2 = http2;
        this.queueMillis = options.queueTimeout().toMillis();
        this.attemptMillis = 3 * options.connectTimeout().toMillis();
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    LoopTimer timer() {
        return timer;
    }

    @Override
    public boolean hasIdle() {
        return idleCount > 0;
    }

    @Override
    public boolean hasWaiting() {
        return hasWaiting;
    }

    @Override
    public long waitingSince() {
        return hasWaiting ? waitingSince : System.nanoTime();
    }

    /** @param fresh whether a connection that has been used before is unsuitable */
    void acquire(Acquirer acquirer, boolean fresh) {
        var connection = fresh ? null : takeAvailable();
        if (connection != null) {
            acquirer.onConnection(connection);
            return;
        }
        waiters.add(new Waiter(acquirer, fresh, System.nanoTime(), timer.now()));
        limit.addWaiting(1);
        onWaitersChanged();
        timer.register(this);
        openIfNeeded();
        if (waiters.size() > attempts.size()) {
            limit.closeIdleOfOthers(this);
        }
    }

    /** No longer waits for a connection. */
    void cancel(Acquirer acquirer) {
        if (waiters.removeIf(waiter -> waiter.acquirer() == acquirer)) {
            onWaiterRemoved();
        }
    }

    private PooledConnection takeAvailable() {
        for (var connection : multiplexed) {
            if (connection.isAvailable()) {
                return connection;
            }
        }
        for (var connection = idle.pollLast(); connection != null; connection = idle.pollLast()) {
            idleCount = idle.size();
            if (connection.isAvailable()) {
                return connection;
            }
            close(connection);
        }
        return null;
    }

    /** Opens connections for the requests that wait, as far as the limit allows. */
    @Override
    public void openIfNeeded() {
        int needed = isMultiplexing() ? Math.min(1, waiters.size()) : waiters.size();
        while (attempts.size() < needed) {
            if (!limit.tryOpen()) {
                if (waiters.peekFirst().fresh() && closeOldestIdle()) {
                    continue;
                }
                return;
            }
            var attempt = new Attempt(timer.now());
            attempts.add(attempt);
            connector.connect(connection -> onConnected(attempt, connection), failure -> onConnectFailed(attempt, failure));
        }
    }

    private boolean isMultiplexing() {
        return http2 && !http2Rejected;
    }

    private void onConnected(Attempt attempt, PooledConnection connection) {
        if (!attempts.remove(attempt)) { // it took too long
            connection.setClosed();
            connection.http().evictionHandler(closing -> {
            });
            connection.http().close();
            return;
        }
        connection.onFree(() -> reuse(connection));
        connection.http().closeHandler(closed -> onClosed(connection));
        if (connection.isMultiplexed()) {
            multiplexed.add(connection);
            connection.setIdleSince(timer.now());
            connection.http().concurrencyChangeHandler(concurrency -> serveMultiplexed());
            connection.http().evictionHandler(gone -> multiplexed.remove(connection));
            timer.register(this);
            serveMultiplexed();
        } else {
            connection.http().evictionHandler(closing -> onClosed(connection)); // before the channel is closed
            http2Rejected = http2;
            offer(connection);
        }
        openIfNeeded();
    }

    private void onConnectFailed(Attempt attempt, UpstreamException failure) {
        if (!attempts.remove(attempt)) {
            return;
        }
        limit.onClosed();
        int failed = isMultiplexing() ? waiters.size() : Math.min(1, waiters.size());
        for (int i = 0; i < failed; i++) {
            removeFirst().acquirer().onConnectionFailure(failure);
        }
        openIfNeeded();
    }

    private void serveMultiplexed() {
        while (!waiters.isEmpty()) {
            var connection = takeAvailable();
            if (connection == null) {
                return;
            }
            removeFirst().acquirer().onConnection(connection);
        }
    }

    private Waiter removeFirst() {
        var waiter = waiters.removeFirst();
        onWaiterRemoved();
        return waiter;
    }

    private void onWaiterRemoved() {
        limit.addWaiting(-1);
        onWaitersChanged();
    }

    private void onWaitersChanged() {
        var first = waiters.peekFirst();
        waitingSince = first == null ? 0 : first.sinceNanos();
        hasWaiting = first != null;
    }

    /** Gives a free HTTP/1.1 connection to a request that waits, or keeps it. */
    private void offer(PooledConnection connection) {
        for (var waiting = waiters.iterator(); waiting.hasNext();) {
            var waiter = waiting.next();
            if (!(waiter.fresh() && connection.isReused())) {
                waiting.remove();
                onWaiterRemoved();
                if (waiter.acquirer().onConnection(connection)) {
                    return;
                }
                waiting = waiters.iterator();
            }
        }
        idle.addLast(connection);
        idleCount = idle.size();
        connection.setIdleSince(timer.now());
        timer.register(this);
        if (!waiters.isEmpty()) {
            openIfNeeded();
        } else if (limit.hasWaiting()) {
            closeOldestIdle();
        }
    }

    /** Takes a connection back whose exchange has ended. */
    void release(PooledConnection connection) {
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
            if (connection.activeStreams() == 0 && !multiplexed.contains(connection)) { // after GOAWAY
                close(connection);
            }
            serveMultiplexed();
        } else if (connection.isStream() && !endStream(connection)
                || limit.hasWaiting() && limit.hasWaitedLongerElsewhere(this)) {
            close(connection);
        } else {
            offer(connection);
        }
    }

    /** Counts a connection as that of a stream: it does not use up the connections of requests. */
    void beginStream(PooledConnection connection) {
        if (!connection.isMultiplexed() && !connection.isStream() && !connection.isClosed()
                && limit.tryConvertToStream()) {
            connection.setStream(true);
        }
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
        var oldest = idle.pollFirst();
        idleCount = idle.size();
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
        multiplexed.remove(connection);
        if (idle.remove(connection)) {
            idleCount = idle.size();
        }
        if (connection.isStream()) {
            limit.onStreamClosed();
        } else {
            limit.onClosed();
        }
    }

    @Override
    protected void onTick(long now) {
        while (!idle.isEmpty() && now - idle.peekFirst().idleSince() >= KEEP_ALIVE_MILLIS) {
            closeOldestIdle();
        }
        for (var connection : List.copyOf(multiplexed)) {
            if (connection.activeStreams() == 0 && now - connection.idleSince() >= 10 * KEEP_ALIVE_MILLIS) {
                close(connection);
            }
        }
        for (var attempt : List.copyOf(attempts)) {
            if (now - attempt.startedAt >= attemptMillis) {
                onConnectFailed(attempt, new UpstreamException(Cause.CONNECT_TIMEOUT, null));
            }
        }
        expireWaiters(now);
        if (idle.isEmpty() && multiplexed.isEmpty() && waiters.isEmpty() && attempts.isEmpty()) {
            timer.unregister(this);
        }
    }

    /** Fails the requests that have waited too long; those whose connection is being established fail with it. */
    private void expireWaiters(long now) {
        while (waiters.size() > attempts.size() && !(isMultiplexing() && !attempts.isEmpty())
                && now - waiters.peekFirst().sinceMillis() >= queueMillis) {
            removeFirst().acquirer().onConnectionFailure(new UpstreamException(Cause.NO_FREE_CONNECTION, null));
        }
    }

    /** Closes all connections that are not in use, and each other one when it is released. */
    void shutdown() {
        while (closeOldestIdle()) {
            // one after the other
        }
        List.copyOf(multiplexed).forEach(this::close);
        connector.close();
    }
}
