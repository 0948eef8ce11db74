package dev.sluice.window;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.redis.RedisChannel;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;

/**
 * The way of decisions to Redis over one connection: what is asked while a call of the script is under way goes together in the
 * next one. Where none is, it goes as soon as the event loop has done what else it has just heard of. A near Redis has one call
 * at a time: two would each be smaller, and cost more. One that is far away is not waited for: calls follow each other at a
 * distance ({@link #DISTANCE_NANOS}).
 */
final class Lane {

    private static final long DISTANCE_NANOS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final int MOST_UNDER_WAY = 16;

    private final Lanes lanes;
    private final RedisChannel channel;
    private final AtomicInteger everybody;
    private final Vertx vertx;
    /** Not sent yet; guarded by this. */
    private final Deque<Asked> gathering = new ArrayDeque<>();
    private int underWay;
    private long lastSent;
    private boolean called;
    /** Everybody who waits, and some who do not any more, in the order in which they came; guarded by this. */
    private final Deque<Asked> waiting = new ArrayDeque<>();
    private boolean timed;

    /** @param everybody how many wait on all lanes of the connection */
    Lane(Lanes lanes, RedisChannel channel, AtomicInteger everybody, Vertx vertx) {
        this.everybody = everybody;
        this.lanes = lanes;
        this.channel = channel;
        this.vertx = vertx;
    }

    /**
     * @param now by {@link System#nanoTime}
     * @return false where too many wait already
     */
    boolean ask(Asked asked, long now) {
        boolean call;
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
            time = !timed;
            timed = true;
        }
        if (call) {
            channel.executeSoon(this::send);
        }
        if (time) {
            channel.executeSoon(() -> watch(asked.deadline));
        }
        return true;
    }

    private boolean mayGo(long now) {
        return underWay == 0 || underWay < MOST_UNDER_WAY && now - lastSent >= DISTANCE_NANOS;
    }

    private void send() {
        long now = System.nanoTime();
        var batch = next(now);
        if (batch != null) {
            sent(batch).onComplete(done -> channel.execute(() -> answered(batch, now, done)));
        }
    }

    private Future<Response> sent(Batch batch) {
        try {
            return batch.send(channel, lanes.script());
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    /** Null where there is nothing to send, or it is to wait for what is under way. */
    private synchronized Batch next(long now) {
        called = false;
        if (gathering.isEmpty() || !mayGo(now)) {
            return null;
        }
        var batch = new Batch();
        for (var asked = gathering.peek(); asked != null && (asked.done() || batch.add(asked)); asked = gathering.peek()) {
            gathering.remove();
        }
        if (batch.isEmpty()) {
            return null;
        }
        underWay++;
        lastSent = now;
        return batch;
    }

    private void answered(Batch batch, long sent, AsyncResult<Response> done) {
        try {
            Asked.deliver(lanes.answered(channel, batch, sent, done));
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

    private void watch(long deadline) {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime() + 999_999);
        vertx.setTimer(Math.max(1, millis), timer -> channel.execute(this::expire));
    }

    /** Whoever has waited for too long waits no longer. */
    private void expire() {
        var late = new ArrayList<Asked>();
        Asked first;
        synchronized (this) {
            long now = System.nanoTime();
            first = waiting.peek();
            while (first != null && (first.done() || first.deadline - now <= 0)) {
                if (!first.done()) {
                    late.add(first);
                }
                waiting.remove();
                everybody.decrementAndGet();
                first = waiting.peek();
            }
            timed = first != null;
        }
        if (first != null) {
            watch(first.deadline);
        }
        giveUp(late);
    }

    private void giveUp(List<Asked> late) {
        var cause = new StoreUnavailableException("Redis did not answer in time", null);
        late.removeIf(asked -> !asked.expire(cause));
        late.forEach(asked -> lanes.unanswered(cause)); // may end the connection, which answers others
        Asked.deliver(late);
    }
}
