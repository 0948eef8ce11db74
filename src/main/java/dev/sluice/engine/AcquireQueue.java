package dev.sluice.engine;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;

/** Waiting requests of one identifier and the same resources, in the order of their arrival. Not thread-safe. */
final class AcquireQueue {

    /** Requests of one queue take turns. */
    record Key(String identifier, List<String> resources) {

        static Key of(RateLimitRequest request) {
            return new Key(request.identifier(), request.checks().stream().map(ResourceCheck::resource).toList());
        }
    }

    /** A request that is decided until it is admitted, or cannot wait any longer. */
    static final class Waiter {

        final RateLimitRequest request;
        final Key key;
        /** Time by {@link System#nanoTime}. */
        final long deadline;
        final Consumer<Decision> onDecision;
        final Consumer<Throwable> onFailure;
        volatile boolean cancelled;
        /** True once it has been added to its queue. */
        volatile boolean queued;

        Waiter(RateLimitRequest request, long deadline, Consumer<Decision> onDecision, Consumer<Throwable> onFailure) {
            this.request = request;
            this.key = Key.of(request);
            this.deadline = deadline;
            this.onDecision = onDecision;
            this.onFailure = onFailure;
        }
    }

    private final LinkedHashSet<Waiter> waiters = new LinkedHashSet<>();
    private Runnable timer = () -> {
    };
    /** No request has an earlier deadline: most turns end without a look at the others. */
    private long earliestDeadline;
    /** True while a decision of the first request is in progress. */
    boolean deciding;
    /** When the first request asks again, by {@link System#nanoTime}. */
    long wakeAt;

    /** Adds a request; returns whether it is the only one. */
    boolean add(Waiter waiter) {
        waiter.queued = true;
        earliestDeadline = waiters.isEmpty() || waiter.deadline - earliestDeadline < 0 ? waiter.deadline : earliestDeadline;
        waiters.add(waiter);
        return waiters.size() == 1 && !deciding;
    }

    /** Returns whether it will be a request's turn, or is decided, before its deadline. */
    boolean suits(Waiter waiter) {
        return deciding || wakeAt - waiter.deadline <= 0;
    }

    /** Removes a request; returns whether it was in the queue. */
    boolean remove(Waiter waiter) {
        return waiters.remove(waiter);
    }

    /** Returns the first request; null if there is none. */
    Waiter first() {
        return waiters.isEmpty() ? null : waiters.iterator().next();
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    /** Removes and returns the requests behind the first one whose deadline is before a time. */
    List<Waiter> removeExpired(long time) {
        if (earliestDeadline - time >= 0) {
            return List.of();
        }
        var first = first();
        var expired = removeIf(waiter -> waiter != first && waiter.deadline - time < 0);
        earliestDeadline = first.deadline;
        waiters.forEach(
                waiter -> earliestDeadline = waiter.deadline - earliestDeadline < 0 ? waiter.deadline : earliestDeadline);
        return expired;
    }

    /** Removes and returns all requests except one that is being decided. */
    List<Waiter> removeUndecided() {
        var decided = deciding ? first() : null;
        return removeIf(waiter -> waiter != decided);
    }

    private List<Waiter> removeIf(Predicate<Waiter> condition) {
        var removed = new ArrayList<Waiter>();
        waiters.removeIf(waiter -> condition.test(waiter) && removed.add(waiter));
        return removed;
    }

    /** @param cancel cancels the timer */
    void startTimer(Runnable cancel) {
        stopTimer();
        timer = cancel;
    }

    void stopTimer() {
        timer.run();
        timer = () -> {
        };
    }
}
