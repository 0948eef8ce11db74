package dev.sluice.service.alerts;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;

import org.jboss.logging.Logger;

import dev.sluice.service.alerts.AlertQueue.ClaimResult;
import dev.sluice.store.ThrottledLog;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Evaluates observations against the thresholds of their subjects, and claims the alerts that are due. While the queue or the
 * identities are unavailable, the last observation of each window and period waits. Used on one context; not thread-safe.
 */
final class AlertClaims {

    /** Maximum number of observations that wait; beyond it, the oldest are dropped. */
    static final int MAX_WAITING = 10_000;
    static final int MAX_CONCURRENT = 64;
    /** Maximum number of observations of each kind that are evaluated again at a time, oldest first: it bounds the time. */
    static final int MAX_RETRIED = 1000;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final long VALID_MICROS = AlertTargets.MAX_AGE_SECONDS * 1_000_000;
    /** Time for which further decisions submit nothing after a failure. */
    private static final long RETRY_MICROS = 1_000_000;

    private final AlertTargets targets;
    private final AlertQueue queue;
    private final IntConsumer onDropped;
    private final Runnable onClaimed;
    private final ThrottledLog drops = new ThrottledLog();
    private final ThrottledLog fullQueue = new ThrottledLog();
    /** Observations to evaluate, oldest first. */
    private final Map<AlertObservation.Key, AlertObservation> waiting = new LinkedHashMap<>();
    /** Observations whose evaluation has failed; they wait for {@link #retry}. */
    private final Map<AlertObservation.Key, AlertObservation> failed = new LinkedHashMap<>();
    /** Observations of owners that have no room in the queue; they wait for {@link #retry} too. */
    private final Map<AlertObservation.Key, AlertObservation> withoutRoom = new LinkedHashMap<>();
    /** Owners that had no room in the queue since the last {@link #retry}. */
    private final Set<String> fullOwners = new HashSet<>();
    private boolean evaluating;
    private int inFlight;
    private Promise<Void> idle = Promise.promise();

    /**
     * @param onDropped receives the number of observations that were dropped
     * @param onClaimed called after an alert was added to the queue
     */
    AlertClaims(AlertTargets targets, AlertQueue queue, IntConsumer onDropped, Runnable onClaimed) {
        this.targets = targets;
        this.queue = queue;
        this.onDropped = onDropped;
        this.onClaimed = onClaimed;
    }

    /** Evaluates an observation, in place of an earlier one of the same window and period that waits. */
    void submit(AlertObservation observed) {
        var key = observed.key();
        var earlier = failed.containsKey(key) ? failed.remove(key) : withoutRoom.remove(key);
        put(waiting, earlier != null && earlier.used() > observed.used() ? earlier.with(observed.progress()) : observed);
        evaluateNext();
    }

    private void put(Map<AlertObservation.Key, AlertObservation> map, AlertObservation observed) {
        map.put(observed.key(), observed);
        if (waiting.size() + failed.size() + withoutRoom.size() > MAX_WAITING) {
            var candidates = !withoutRoom.isEmpty() ? withoutRoom : !failed.isEmpty() ? failed : waiting;
            var oldest = candidates.entrySet().iterator();
            var dropped = oldest.next().getValue();
            oldest.remove();
            dropped.progress().postpone(dropped.period(), 0); // the next decision submits again
            onDropped.accept(1);
            drops.log(times -> LOG.errorf(
                    "Alerts are dropped, because too many wait for Redis or for room in the queue: maximum=%d occurrences=%d",
                    MAX_WAITING, times));
        }
    }

    /** Evaluates again what has failed. */
    void retry() {
        fullOwners.clear();
        moveToWaiting(failed); // each evaluation may end at once
        moveToWaiting(withoutRoom);
        evaluateNext();
    }

    private void moveToWaiting(Map<AlertObservation.Key, AlertObservation> map) {
        var first = map.entrySet().iterator();
        for (int i = 0; i < MAX_RETRIED && first.hasNext(); i++) {
            var observed = first.next();
            waiting.putIfAbsent(observed.getKey(), observed.getValue());
            first.remove();
        }
    }

    /** Returns the number of observations that are not evaluated. */
    int size() {
        return waiting.size() + failed.size() + withoutRoom.size() + inFlight;
    }

    /** Returns a future that completes when no evaluation is in flight or waits for one. */
    Future<Void> idle() {
        return inFlight == 0 && waiting.isEmpty() ? Future.succeededFuture() : idle.future();
    }

    /** An evaluation that ends at once calls this again, which then leaves the rest to the loop that is under way. */
    private void evaluateNext() {
        if (evaluating) {
            return;
        }
        evaluating = true;
        while (inFlight < MAX_CONCURRENT && !waiting.isEmpty()) {
            var next = waiting.entrySet().iterator();
            var observed = next.next().getValue();
            next.remove();
            inFlight++;
            evaluate(observed).onComplete(done -> {
                inFlight--;
                if (done.failed()) {
                    postpone(observed, failed);
                } else if (!done.result()) {
                    postpone(observed, withoutRoom);
                }
                evaluateNext();
            });
        }
        evaluating = false;
        if (inFlight == 0 && waiting.isEmpty()) {
            var ended = idle;
            idle = Promise.promise();
            ended.complete();
        }
    }

    private void postpone(AlertObservation observed, Map<AlertObservation.Key, AlertObservation> until) {
        if (!waiting.containsKey(observed.key())) {
            put(until, observed);
        }
        observed.progress().postpone(observed.period(), AlertPeriod.micros(observed.decidedAt()) + RETRY_MICROS);
    }

    /** Returns false if there is no room for an alert that is due. */
    private Future<Boolean> evaluate(AlertObservation observed) {
        return targets.find(observed.window().identifier()).compose(target -> {
            var url = target.url();
            if (url == null) {
                complete(observed, target, 0, Long.MAX_VALUE);
                return Future.succeededFuture(true);
            }
            long limit = observed.window().limit();
            long claimed = observed.progress().claimed(observed.period(), target);
            var reached = target.reached(limit, observed.used(), claimed);
            long used = Math.max(claimed, observed.used());
            if (reached.isEmpty()) {
                complete(observed, target, used, target.next(limit, used));
                return Future.succeededFuture(true);
            }
            if (fullOwners.contains(target.owner())) {
                return Future.succeededFuture(false);
            }
            var ownUrl = target.owner().isEmpty() ? "" : url.toString();
            var alerts = reached.stream().map(threshold -> LimitAlert.of(observed, threshold, ownUrl, target.owner())).toList();
            return queue.claim(alerts).map(results -> onResults(results, observed, target, used));
        });
    }

    private boolean onResults(List<ClaimResult> results, AlertObservation observed, AlertTarget target, long used) {
        if (results.contains(ClaimResult.CLAIMED)) {
            onClaimed.run();
        }
        if (results.contains(ClaimResult.FULL)) {
            fullOwners.add(target.owner());
            fullQueue.log(times -> LOG.errorf(
                    "The queue has no room for more alerts to one URL; they wait until others are sent or"
                            + " given up: url_of=%s maximum=%d occurrences=%d",
                    target.owner().isEmpty() ? AlertSettings.URL : target.owner(), AlertQueue.MAX_PENDING, times));
            return false;
        }
        complete(observed, target, used, target.next(observed.window().limit(), used));
        return true;
    }

    private static void complete(AlertObservation observed, AlertTarget target, long claimed, long next) {
        observed.progress().complete(observed.period(), target, AlertPeriod.micros(observed.decidedAt()) + VALID_MICROS,
                claimed,
                next);
    }
}
