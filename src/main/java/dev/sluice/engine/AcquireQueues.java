package dev.sluice.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.engine.AcquireQueue.Waiter;

/**
 * Requests that wait until their windows have room. Denied requests of one identifier and the same resources form a queue, of which
 * only the first one asks again: when the time has come that its denial has told, and when the one before it has been admitted. So
 * an instance makes one decision per admitted request, and one per denial, however many wait. Waiting blocks no thread.
 * Thread-safe.
 */
final class AcquireQueues {

    /** Jitter after a lost race: at most this share of the wait, and at most this long. */
    static final double JITTER_SHARE = 0.1;
    static final long MAX_JITTER_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Shortest wait. Denials tell the time to the microsecond, by another clock than the timer's. */
    static final long MIN_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** One-shot timers. Tasks run on an event loop, outside of the context of any request. */
    interface Timers {

        /** @return cancels the timer */
        Runnable start(long nanos, Runnable task);
    }

    private final CallbackRateLimiter limiter;
    private final Timers timers;
    private final LongSupplier nanoTime;
    private final DoubleSupplier random;
    private final int maxWaiters;
    /** Each queue is accessed only within the map's atomic operations, none of which calls the limiter or a caller. */
    private final ConcurrentHashMap<AcquireQueue.Key, AcquireQueue> queues = new ConcurrentHashMap<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile boolean closed;

    /**
     * @param nanoTime as {@link System#nanoTime}
     * @param random returns numbers from 0 to 1
     * @param maxWaiters maximum number of waiting requests, of all queues together
     */
    AcquireQueues(CallbackRateLimiter limiter, Timers timers, LongSupplier nanoTime, DoubleSupplier random, int maxWaiters) {
        this.limiter = limiter;
        this.timers = timers;
        this.nanoTime = nanoTime;
        this.random = random;
        this.maxWaiters = maxWaiters;
    }

    /**
     * Decides a request, and waits if it is denied. Exactly one callback is called, once, on any thread, unless the request is
     * cancelled.
     *
     * @param maxWait longest time to wait
     * @return cancels the request; has no effect after its end
     */
    Runnable acquire(RateLimitRequest request, Duration maxWait, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
        var waiter = new Waiter(request, nanoTime.getAsLong() + maxWait.toNanos(), onDecision, onFailure);
        if (maxWait.isZero() || !queues.containsKey(waiter.key)) {
            limiter.check(request, decision -> onFirstDecision(waiter, decision), onFailure);
        } else if (!join(waiter)) {
            decideFinally(waiter);
        }
        return () -> cancel(waiter);
    }

    /** Returns the number of waiting requests. */
    int waiting() {
        return waiting.get();
    }

    /** Decides all waiting requests now; later ones do not wait. */
    void close() {
        closed = true;
        for (var key : List.copyOf(queues.keySet())) {
            var queue = queues.remove(key);
            if (queue != null) {
                queue.stopTimer();
                remove(queue.removeUndecided());
            }
        }
    }

    private void onFirstDecision(Waiter waiter, Decision decision) {
        if (!canWait(waiter, decision) || !enqueue(waiter, decision)) {
            waiter.onDecision.accept(decision);
        }
    }

    private boolean canWait(Waiter waiter, Decision decision) {
        return !closed && !decision.allowed() && decision.retryAfter()
                .filter(wait -> wait.toNanos() <= waiter.deadline - nanoTime.getAsLong()).isPresent();
    }

    /** Adds a denied request; false if it has to end with its denial. */
    private boolean enqueue(Waiter waiter, Decision denial) {
        queues.compute(waiter.key, (key, existing) -> {
            if (existing != null && !existing.suits(waiter) || !admit(waiter)) {
                return existing;
            }
            var queue = existing == null ? new AcquireQueue() : existing;
            if (queue.add(waiter)) {
                schedule(queue, waiter, waitNanos(denial));
            }
            return queue;
        });
        return waiter.queued;
    }

    /** Adds a request behind others, without a decision of its own; false if it cannot wait for its turn. */
    private boolean join(Waiter waiter) {
        queues.compute(waiter.key, (key, existing) -> {
            if (existing != null && existing.suits(waiter) && admit(waiter)) {
                existing.add(waiter);
            }
            return existing;
        });
        return waiter.queued;
    }

    private boolean admit(Waiter waiter) {
        if (closed || waiter.cancelled) {
            return false;
        }
        if (waiting.incrementAndGet() > maxWaiters) {
            waiting.decrementAndGet();
            return false;
        }
        return true;
    }

    private static long waitNanos(Decision denial) {
        return Math.max(MIN_WAIT_NANOS, denial.retryAfter().orElseThrow().toNanos());
    }

    private void schedule(AcquireQueue queue, Waiter head, long nanos) {
        queue.wakeAt = nanoTime.getAsLong() + nanos;
        queue.startTimer(timers.start(nanos, () -> advance(head.key)));
    }

    private void cancel(Waiter waiter) {
        waiter.cancelled = true;
        var nextTurn = new AtomicBoolean();
        queues.computeIfPresent(waiter.key, (key, queue) -> {
            boolean first = queue.first() == waiter;
            if (!queue.remove(waiter)) {
                return queue;
            }
            waiting.decrementAndGet();
            nextTurn.set(first && !queue.deciding && !queue.isEmpty()); // it may cost less, and fit already
            return afterRemoval(queue);
        });
        if (nextTurn.get()) {
            timers.start(0, () -> advance(waiter.key)); // not within the request that was cancelled
        }
    }

    private static AcquireQueue afterRemoval(AcquireQueue queue) {
        if (!queue.isEmpty() || queue.deciding) {
            return queue;
        }
        queue.stopTimer();
        return null;
    }

    /** Lets the first request of a queue ask, and the next ones after it, until one of them has to wait. */
    private void advance(AcquireQueue.Key key) {
        while (decideFirst(key)) {
            // a loop: in memory, decisions complete before the call returns
        }
    }

    /** Returns whether the decision is already made, and it is the next one's turn. */
    private boolean decideFirst(AcquireQueue.Key key) {
        var turn = new Turn(key);
        var expired = new ArrayList<Waiter>();
        queues.computeIfPresent(key, (same, queue) -> {
            if (queue.deciding) {
                return queue;
            }
            queue.stopTimer();
            expired.addAll(queue.removeExpired(nanoTime.getAsLong()));
            turn.head = queue.first();
            queue.deciding = true;
            return queue;
        });
        remove(expired);
        return turn.head != null && turn.decide();
    }

    /** Decides requests that were removed from their queue because they cannot wait any longer. */
    private void remove(List<Waiter> expired) {
        waiting.addAndGet(-expired.size());
        expired.forEach(this::decideFinally);
    }

    private void decideFinally(Waiter waiter) {
        if (!waiter.cancelled) {
            limiter.check(waiter.request, waiter.onDecision, waiter.onFailure);
        }
    }

    /** One decision of the first request of a queue. */
    private final class Turn {

        private final AcquireQueue.Key key;
        /** Set by the call or by its result, whichever ends first. */
        private final AtomicBoolean oneEnded = new AtomicBoolean();
        private Waiter head;
        private boolean isNextTurn;

        Turn(AcquireQueue.Key key) {
            this.key = key;
        }

        /** Returns whether the decision is already made, and it is the next one's turn. */
        boolean decide() {
            try {
                limiter.check(head.request, this::onDecision, this::onFailure);
            } catch (RuntimeException e) {
                if (!oneEnded.get()) {
                    onFailure(e);
                }
            }
            return !oneEnded.compareAndSet(false, true) && isNextTurn;
        }

        private void onDecision(Decision decision) {
            if (!end(canWait(head, decision) ? decision : null)) {
                head.onDecision.accept(decision);
            }
            continueIfAsynchronous();
        }

        private void onFailure(Throwable failure) {
            end(null);
            head.onFailure.accept(failure);
            continueIfAsynchronous();
        }

        /**
         * Ends the turn.
         *
         * @param denial after which the request can wait; null if it leaves the queue
         * @return whether it waits
         */
        private boolean end(Decision denial) {
            var expired = new ArrayList<Waiter>();
            var waits = new AtomicBoolean();
            queues.computeIfPresent(key, (same, queue) -> {
                queue.deciding = false;
                if (denial == null && queue.remove(head)) {
                    waiting.decrementAndGet();
                }
                if (denial != null && queue.first() == head) {
                    schedule(queue, head, Math.min(waitNanos(denial) + jitter(denial),
                            Math.max(MIN_WAIT_NANOS, head.deadline - nanoTime.getAsLong())));
                    expired.addAll(queue.removeExpired(queue.wakeAt));
                    waits.set(true);
                } else {
                    isNextTurn = !queue.isEmpty();
                }
                return afterRemoval(queue);
            });
            remove(expired);
            return waits.get();
        }

        /** The room was taken by a request outside of this queue, whose instance may be told the same time. */
        private long jitter(Decision denial) {
            return (long) (random.getAsDouble() * Math.min(MAX_JITTER_NANOS, waitNanos(denial) * JITTER_SHARE));
        }

        private void continueIfAsynchronous() {
            if (!oneEnded.compareAndSet(false, true) && isNextTurn) {
                advance(key);
            }
        }
    }
}
