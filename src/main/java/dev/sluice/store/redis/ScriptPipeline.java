package dev.sluice.store.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.ListenedClock;
import dev.sluice.redis.RedisScriptConnection;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.redis.client.Response;

/**
 * Coalesces decisions into batches over one connection: requests that arrive while a call of the script is in flight are sent in
 * the next call. With none in flight, a call is sent as soon as the event loop has handled what else it has received.
 * <p>
 * Calls to a near Redis follow each other at a distance in time, so that each carries many decisions: with more of them, each
 * would be smaller, and cost more. Calls to a far one are pipelined by a timer, so that a decision never waits for the response
 * to an earlier call and takes one round trip.
 */
final class ScriptPipeline {

    /** Round trip above which calls are pipelined by a timer. */
    private static final long FAR_ROUND_TRIP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long NEAR_INTERVAL_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long MIN_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** This many calls to a far Redis follow each other within a round trip. */
    private static final int CALLS_PER_ROUND_TRIP = 32;
    private static final int MAX_IN_FLIGHT = 4 * CALLS_PER_ROUND_TRIP;

    /** Parses a reply and completes its decisions; returns those whose callbacks have to be called. */
    interface ReplyHandler {

        List<PendingDecision> handle(RedisScriptConnection connection, DecisionBatch batch, long sentAt,
                AsyncResult<Response> done);
    }

    private final DecisionScript script;
    private final ReplyHandler replyHandler;
    private final RedisScriptConnection connection;
    private final ListenedClock clock;
    private final AtomicInteger waitingTotal;
    private final long timeoutNanos;
    private final Consumer<RedisScriptConnection> beforeBatch;
    /** Decisions not sent yet; guarded by this. */
    private final Deque<PendingDecision> queued = new ArrayDeque<>();
    private int inFlight;
    private long lastSent;
    private boolean sendScheduled;
    private boolean delayedSendScheduled;
    /** All pending decisions and some completed ones, in order of arrival; guarded by this. */
    private final Deque<PendingDecision> waiting = new ArrayDeque<>();
    private boolean timeoutScheduled;

    /**
     * @param waitingTotal number of decisions that wait on all pipelines of the connection
     * @param timeoutNanos timeout of a decision, in listened time
     * @param beforeBatch called on the connection's event loop before a batch is sent
     */
    ScriptPipeline(DecisionScript script, ReplyHandler replyHandler, RedisScriptConnection connection,
            AtomicInteger waitingTotal,
            long timeoutNanos, Consumer<RedisScriptConnection> beforeBatch) {
        this.beforeBatch = beforeBatch;
        this.script = script;
        this.replyHandler = replyHandler;
        this.waitingTotal = waitingTotal;
        this.connection = connection;
        this.clock = connection.clock();
        this.timeoutNanos = timeoutNanos;
    }

    /**
     * Queues a decision.
     *
     * @param now by {@link System#nanoTime}
     * @return false if too many decisions wait
     */
    boolean submit(PendingDecision decision, long now) {
        decision.start(clock.at(now), now);
        boolean scheduleSend;
        boolean scheduleDelayedSend;
        boolean scheduleTimeout;
        synchronized (this) {
            if (waitingTotal.incrementAndGet() > connection.maxInFlight()) {
                waitingTotal.decrementAndGet();
                return false;
            }
            queued.add(decision);
            waiting.add(decision);
            scheduleSend = !sendScheduled && maySend(now);
            sendScheduled |= scheduleSend;
            scheduleDelayedSend = !sendScheduled && !delayedSendScheduled && isFar() && inFlight < MAX_IN_FLIGHT;
            delayedSendScheduled |= scheduleDelayedSend;
            scheduleTimeout = !timeoutScheduled;
            timeoutScheduled = true;
        }
        if (scheduleSend) {
            connection.executeSoon(this::send);
        }
        if (scheduleDelayedSend) {
            connection.executeIn(sendInterval() - (now - lastSent), this::sendDelayed);
        }
        if (scheduleTimeout) {
            connection.execute(() -> clock.watch(this::expire));
        }
        return true;
    }

    private boolean isFar() {
        return connection.roundTrip() > FAR_ROUND_TRIP_NANOS;
    }

    private long sendInterval() {
        return isFar() ? Math.max(MIN_INTERVAL_NANOS, connection.roundTrip() / CALLS_PER_ROUND_TRIP) : NEAR_INTERVAL_NANOS;
    }

    private boolean maySend(long now) {
        return inFlight == 0 || inFlight < MAX_IN_FLIGHT && now - lastSent >= sendInterval();
    }

    private void sendDelayed() {
        synchronized (this) {
            delayedSendScheduled = false;
        }
        send();
    }

    private void send() {
        beforeBatch.accept(connection);
        long now = System.nanoTime();
        var batch = nextBatch(now);
        if (batch != null) {
            trySend(batch).onComplete(done -> connection.execute(() -> handleReply(batch, now, done)));
        }
    }

    private Future<Response> trySend(DecisionBatch batch) {
        try {
            return batch.send(connection, script);
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    /** @return null if nothing is queued, or the calls in flight have to be awaited first */
    private synchronized DecisionBatch nextBatch(long now) {
        sendScheduled = false;
        if (queued.isEmpty() || !maySend(now)) {
            return null;
        }
        var batch = new DecisionBatch(clock.at(now));
        for (var decision = queued.peek(); decision != null
                && (decision.done() || batch.add(decision)); decision = queued.peek()) {
            queued.remove();
            decision.markSent();
        }
        if (batch.isEmpty()) {
            return null;
        }
        inFlight++;
        lastSent = now;
        return batch;
    }

    private void handleReply(DecisionBatch batch, long sentAt, AsyncResult<Response> done) {
        try {
            PendingDecision.deliver(replyHandler.handle(connection, batch, sentAt, done));
        } finally {
            continueSending(batch.unsent());
        }
    }

    /** @param unsent decisions that wait on, and have to be sent again */
    private void continueSending(List<PendingDecision> unsent) {
        boolean scheduleSend;
        synchronized (this) {
            for (int i = unsent.size() - 1; i >= 0; i--) {
                queued.addFirst(unsent.get(i));
            }
            while (!waiting.isEmpty() && waiting.peek().done()) {
                waiting.remove();
                waitingTotal.decrementAndGet();
            }
            inFlight--;
            scheduleSend = !sendScheduled && !queued.isEmpty();
            sendScheduled |= scheduleSend;
        }
        if (scheduleSend) {
            connection.executeSoon(this::send);
        }
    }

    /** Fails overdue decisions, so that the fallback decides them. Returns whether others wait. */
    private boolean expire() {
        var overdue = new ArrayList<PendingDecision>(0);
        long silence = connection.silence();
        boolean more;
        synchronized (this) {
            var first = waiting.peek();
            while (first != null && (first.done() || first.isOverdue(clock, timeoutNanos, silence))) {
                if (!first.done()) {
                    overdue.add(first);
                }
                waiting.remove();
                waitingTotal.decrementAndGet();
                first = waiting.peek();
            }
            more = first != null;
            timeoutScheduled = more;
        }
        failOverdue(overdue);
        return more;
    }

    private static void failOverdue(List<PendingDecision> overdue) {
        if (!overdue.isEmpty()) {
            var cause = new StoreUnavailableException("Redis did not reply in time", null);
            overdue.removeIf(decision -> !decision.expire(cause));
            PendingDecision.deliver(overdue);
        }
    }
}
