package dev.sluice.store.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

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

    /** A Redis with a longer round trip is far. */
    private static final long FAR_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long NEAR_DISTANCE_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long LEAST_DISTANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** This many calls to a far Redis follow each other within a round trip. */
    private static final int CALLS_PER_ROUND_TRIP = 32;
    private static final int MOST_UNDER_WAY = 4 * CALLS_PER_ROUND_TRIP;

    private final ScriptDispatcher lanes;
    private final RedisScriptConnection channel;
    private final ListenedClock clock;
    private final AtomicInteger everybody;
    private final long timeoutNanos;
    /** Not sent yet; guarded by this. */
    private final Deque<PendingDecision> gathering = new ArrayDeque<>();
    private int underWay;
    private long lastSent;
    private boolean called;
    private boolean delayed;
    /** All decisions that are not made, and some that are, in the order of their arrival; guarded by this. */
    private final Deque<PendingDecision> waiting = new ArrayDeque<>();
    private boolean timed;

    /**
     * @param everybody how many decisions wait on all lanes of the connection
     * @param timeoutNanos how long a decision may wait, in listened time
     */
    ScriptPipeline(ScriptDispatcher lanes, RedisScriptConnection channel, AtomicInteger everybody, long timeoutNanos) {
        this.everybody = everybody;
        this.lanes = lanes;
        this.channel = channel;
        this.clock = channel.clock();
        this.timeoutNanos = timeoutNanos;
    }

    /**
     * Queues a decision.
     *
     * @param now by {@link System#nanoTime}
     * @return false where too many wait already
     */
    boolean ask(PendingDecision asked, long now) {
        asked.begin(clock.at(now), now);
        boolean call;
        boolean delay;
        boolean time;
        synchronized (this) {
            if (everybody.incrementAndGet() > channel.mostWaiting()) {
                everybody.decrementAndGet();
                return false;
            }
            gathering.add(asked);
            waiting.add(asked);
            call = !called && mayGo(now);
            called |= call;
            delay = !called && !delayed && far() && underWay < MOST_UNDER_WAY;
            delayed |= delay;
            time = !timed;
            timed = true;
        }
        if (call) {
            channel.executeSoon(this::send);
        }
        if (delay) {
            channel.executeIn(distance() - (now - lastSent), this::sendDelayed);
        }
        if (time) {
            channel.execute(() -> clock.watch(this::expire));
        }
        return true;
    }

    private boolean far() {
        return channel.roundTrip() > FAR_NANOS;
    }

    private long distance() {
        return far() ? Math.max(LEAST_DISTANCE_NANOS, channel.roundTrip() / CALLS_PER_ROUND_TRIP) : NEAR_DISTANCE_NANOS;
    }

    private boolean mayGo(long now) {
        return underWay == 0 || underWay < MOST_UNDER_WAY && now - lastSent >= distance();
    }

    private void sendDelayed() {
        synchronized (this) {
            delayed = false;
        }
        send();
    }

    private void send() {
        long now = System.nanoTime();
        var batch = next(now);
        if (batch != null) {
            sent(batch).onComplete(done -> channel.execute(() -> answered(batch, now, done)));
        }
    }

    private Future<Response> sent(DecisionBatch batch) {
        try {
            return batch.send(channel, lanes.script());
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    /** Null where there is nothing to send, or it is to wait for what is under way. */
    private synchronized DecisionBatch next(long now) {
        called = false;
        if (gathering.isEmpty() || !mayGo(now)) {
            return null;
        }
        var batch = new DecisionBatch(clock.at(now));
        for (var asked = gathering.peek(); asked != null && (asked.done() || batch.add(asked)); asked = gathering.peek()) {
            gathering.remove();
            asked.send();
        }
        if (batch.isEmpty()) {
            return null;
        }
        underWay++;
        lastSent = now;
        return batch;
    }

    private void answered(DecisionBatch batch, long sent, AsyncResult<Response> done) {
        try {
            PendingDecision.deliver(lanes.answered(channel, batch, sent, done));
        } finally {
            goOn();
        }
    }

    private void goOn() {
        boolean call;
        synchronized (this) {
            while (!waiting.isEmpty() && waiting.peek().done()) {
                waiting.remove();
                everybody.decrementAndGet();
            }
            underWay--;
            call = !called && !gathering.isEmpty();
            called |= call;
        }
        if (call) {
            channel.executeSoon(this::send);
        }
    }

    /** Hands decisions that have waited for too long to the fallback. Returns whether others wait. */
    private boolean expire() {
        var late = new ArrayList<PendingDecision>(0);
        long silence = channel.silence();
        boolean more;
        synchronized (this) {
            var first = waiting.peek();
            while (first != null && (first.done() || first.over(clock, timeoutNanos, silence))) {
                if (!first.done()) {
                    late.add(first);
                }
                waiting.remove();
                everybody.decrementAndGet();
                first = waiting.peek();
            }
            more = first != null;
            timed = more;
        }
        giveUp(late);
        return more;
    }

    private static void giveUp(List<PendingDecision> late) {
        if (!late.isEmpty()) {
            var cause = new StoreUnavailableException("Redis did not answer in time", null);
            late.removeIf(asked -> !asked.expire(cause));
            PendingDecision.deliver(late);
        }
    }
}
