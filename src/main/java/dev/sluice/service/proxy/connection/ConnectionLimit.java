package dev.sluice.service.proxy.connection;

import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import io.netty.channel.EventLoop;

/**
 * Limits the connections to an upstream over all event loops: each loop has a pool of its own, so that a request and its
 * connection share a loop. If a pool needs a connection and the limit is reached, another pool closes an idle one.
 */
final class ConnectionLimit {

    /** Pool of an event loop. Its methods are called on any thread, those that change it on its event loop. */
    interface Member {

        EventLoop loop();

        boolean hasIdle();

        boolean hasWaiting();

        /** Returns a time of {@link System#nanoTime}: that of now if nothing waits. */
        long waitingSince();

        boolean closeOldestIdle();

        void openIfNeeded();
    }

    /** @param since read once: values that change in between cannot be sorted */
    private record Waiting(Member pool, long since) {
    }

    /** Head start of a loop's own requests over those of other loops, for which a connection must be closed. */
    private static final long MAX_UNFAIRNESS_NANOS = 20_000_000;

    private final int maxConnections;
    private final int maxStreams;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger streams = new AtomicInteger();
    /** Number of requests that wait, over all pools. */
    private final AtomicInteger waiting = new AtomicInteger();
    private final List<Member> pools = new CopyOnWriteArrayList<>();

    ConnectionLimit(int maxConnections, int maxStreams) {
        this.maxConnections = maxConnections;
        this.maxStreams = maxStreams;
    }

    void add(Member pool) {
        pools.add(pool);
    }

    /** Counts a connection, unless the limit is reached. */
    boolean tryOpen() {
        return tryIncrement(connections, maxConnections);
    }

    /** No longer counts a connection; lets a request that waits use its place. */
    void onClosed() {
        connections.decrementAndGet();
        if (hasWaiting()) {
            serveWaiting();
        }
    }

    /** Counts a connection as that of a stream from now on, unless there are too many. */
    boolean tryConvertToStream() {
        if (!tryIncrement(streams, maxStreams)) {
            return false;
        }
        onClosed();
        return true;
    }

    /** Counts the connection of a stream as an ordinary one again, unless the limit is reached. */
    boolean tryConvertFromStream() {
        if (!tryOpen()) {
            return false;
        }
        streams.decrementAndGet();
        return true;
    }

    void onStreamClosed() {
        streams.decrementAndGet();
    }

    int connections() {
        return connections.get();
    }

    int streams() {
        return streams.get();
    }

    void addWaiting(int delta) {
        waiting.addAndGet(delta);
    }

    private boolean hasWaiting() {
        return waiting.get() > 0;
    }

    /** Returns whether requests wait, and no further connection can be opened. */
    boolean isContended() {
        return hasWaiting() && connections.get() >= maxConnections;
    }

    /** Makes each other pool close an idle connection. */
    void closeIdleOfOthers(Member pool) {
        for (var other : pools) {
            if (other != pool && other.hasIdle()) {
                other.loop().execute(other::closeOldestIdle);
            }
        }
    }

    /** Returns whether a request of another pool has waited so much longer that a connection should pass to it. */
    boolean hasWaitedLongerElsewhere(Member pool) {
        for (var other : pools) {
            if (other != pool && other.waitingSince() - pool.waitingSince() < -MAX_UNFAIRNESS_NANOS) {
                return true;
            }
        }
        return false;
    }

    /** Lets all pools with waiting requests try to open a connection, one after the other in the order of their waiting time. */
    private void serveWaiting() {
        serve(pools.stream().filter(Member::hasWaiting).map(pool -> new Waiting(pool, pool.waitingSince()))
                .sorted(Comparator.comparingLong(waiting -> waiting.since)).iterator());
    }

    private static void serve(Iterator<Waiting> next) {
        if (next.hasNext()) {
            var pool = next.next().pool;
            pool.loop().execute(() -> {
                pool.openIfNeeded();
                serve(next);
            });
        }
    }

    private static boolean tryIncrement(AtomicInteger counter, int max) {
        while (true) {
            int value = counter.get();
            if (value >= max) {
                return false;
            }
            if (counter.compareAndSet(value, value + 1)) {
                return true;
            }
        }
    }
}
