package dev.sluice.service.alerts;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

/**
 * Cached state of a window's alerts, with which most decisions need no evaluation. Thread-safe, without locks.
 */
final class AlertProgress {

    /**
     * Result of the last evaluation.
     *
     * @param start start of the period, which identifies it, in microseconds since 1970
     * @param until time until which the result holds, in microseconds since 1970
     * @param target the URL and the thresholds that were evaluated; null if they could not be read
     * @param claimed use up to which all alerts of the period are claimed; 0 if none are
     * @param next use from which there is something to do
     */
    private record Evaluation(long start, long until, @Nullable AlertTarget target, long claimed, long next) {
    }

    private static final Evaluation NONE = new Evaluation(0, 0, null, 0, 0);

    private final int epoch;
    private volatile Evaluation last = NONE;
    private final AtomicBoolean submitted = new AtomicBoolean();

    /** @param epoch number of the connection to Redis: what was claimed over an earlier one may be lost */
    AlertProgress(int epoch) {
        this.epoch = epoch;
    }

    int epoch() {
        return epoch;
    }

    /**
     * Returns whether a decision needs an evaluation, and marks it as submitted: there is one at a time.
     *
     * @param now time of the decision, in microseconds since 1970
     */
    boolean trySubmit(long now, long used) {
        var current = last;
        boolean covered = used < current.next && now >= current.start && now < current.until;
        return !covered && !submitted.get() && submitted.compareAndSet(false, true);
    }

    /** Returns the use up to which all alerts of a period and target are claimed; 0 if that is not known. */
    long claimed(AlertPeriod period, AlertTarget target) {
        var current = last;
        return current.start == AlertPeriod.micros(period.start()) && target.equals(current.target) ? current.claimed : 0;
    }

    /**
     * Ends an evaluation.
     *
     * @param until time until which the target is known, in microseconds since 1970
     * @param claimed use up to which all alerts are claimed
     * @param next use from which there is something to do
     */
    void complete(AlertPeriod period, AlertTarget target, long until, long claimed, long next) {
        last = new Evaluation(AlertPeriod.micros(period.start()), Math.min(until, AlertPeriod.micros(period.end())), target,
                claimed, next);
        submitted.set(false);
    }

    /**
     * Ends an evaluation that is to be repeated, with what a later decision reports.
     *
     * @param until time until which decisions submit nothing, in microseconds since 1970
     */
    void postpone(AlertPeriod period, long until) {
        long start = AlertPeriod.micros(period.start());
        var current = last;
        boolean known = current.start == start;
        last = new Evaluation(start, until, known ? current.target : null, known ? current.claimed : 0, Long.MAX_VALUE);
        submitted.set(false);
    }
}
