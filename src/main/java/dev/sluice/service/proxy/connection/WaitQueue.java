package dev.sluice.service.proxy.connection;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Requests of one event loop that wait for a connection, in the order of their arrival, with the queue timeout. Confined to the event
 * loop, except where a method says otherwise.
 */
final class WaitQueue {

    /** @param fresh whether a connection that has been used before is unsuitable */
    private record Waiter(ConnectionAcquirer acquirer, boolean fresh, long sinceNanos, long sinceMillis) {
    }

    private final ConnectionLimit limit;
    private final long timeoutMillis;
    private final Deque<Waiter> waiters = new ArrayDeque<>();
    /** Time since which the first one waits. */
    private volatile long waitingSince;
    private volatile boolean hasWaiting;

    /** @param limit counts the waiting requests of all event loops */
    WaitQueue(ConnectionLimit limit, long timeoutMillis) {
        this.limit = limit;
        this.timeoutMillis = timeoutMillis;
    }

    /** Returns whether a request waits. Callable on any thread. */
    boolean hasWaiting() {
        return hasWaiting;
    }

    /** Returns the {@link System#nanoTime} since which the first request waits: now if none does. Callable on any thread. */
    long waitingSince() {
        return hasWaiting ? waitingSince : System.nanoTime();
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    int size() {
        return waiters.size();
    }

    /**
     * Adds a request.
     *
     * @param fresh whether a connection that has been used before is unsuitable
     * @param now time of the loop's timer in milliseconds
     */
    void add(ConnectionAcquirer acquirer, boolean fresh, long now) {
        waiters.add(new Waiter(acquirer, fresh, System.nanoTime(), now));
        limit.addWaiting(1);
        onChanged();
    }

    /** Removes a request, if it waits. */
    void remove(ConnectionAcquirer acquirer) {
        if (waiters.removeIf(waiter -> waiter.acquirer() == acquirer)) {
            onRemoved();
        }
    }

    /** Removes the first request; there must be one. */
    ConnectionAcquirer removeFirst() {
        var waiter = waiters.removeFirst();
        onRemoved();
        return waiter.acquirer();
    }

    /** Removes the first request that a connection is suitable for; returns null if there is none. */
    ConnectionAcquirer pollFor(PooledConnection connection) {
        for (var waiting = waiters.iterator(); waiting.hasNext();) {
            var waiter = waiting.next();
            if (!(waiter.fresh() && connection.isReused())) {
                waiting.remove();
                onRemoved();
                return waiter.acquirer();
            }
        }
        return null;
    }

    /** Returns whether no used connection is suitable for the first request; there must be one. */
    boolean needsFresh() {
        return waiters.peekFirst().fresh();
    }

    /** Returns whether the first request has waited for the queue timeout; there must be one. */
    boolean isExpired(long now) {
        return now - waiters.peekFirst().sinceMillis() >= timeoutMillis;
    }

    private void onRemoved() {
        limit.addWaiting(-1);
        onChanged();
    }

    private void onChanged() {
        var first = waiters.peekFirst();
        waitingSince = first == null ? 0 : first.sinceNanos();
        hasWaiting = first != null;
    }
}
