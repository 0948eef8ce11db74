package dev.sluice.window;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.redis.RedisChannel;
import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;

/**
 * The way of decisions to Redis over one connection: what is asked while calls of the script are under way goes together in the
 * next one. Where none is, it goes as soon as the event loop has done what else it has just heard of.
 */
final class Lane {

    /** Calls under way: while Redis answers one, it has the next. */
    private static final int UNDER_WAY = Integer.getInteger("sluice.lane", 1);

    private final Lanes lanes;
    private final RedisChannel channel;
    private final Vertx vertx;
    /** Not sent yet; guarded by this. */
    private final Deque<Asked> gathering = new ArrayDeque<>();
    private int underWay;
    private boolean called;
    /** Everybody who waits, and some who do not any more, in the order in which they came; guarded by this. */
    private final Deque<Asked> waiting = new ArrayDeque<>();
    private boolean timed;

    Lane(Lanes lanes, RedisChannel channel, Vertx vertx) {
        this.lanes = lanes;
        this.channel = channel;
        this.vertx = vertx;
    }

    /** @return false where too many wait already */
    boolean ask(Asked asked) {
        boolean call;
        boolean time;
        synchronized (this) {
            if (waiting.size() >= channel.mostWaiting()) {
                return false;
            }
            gathering.add(asked);
            waiting.add(asked);
            call = !called && underWay < UNDER_WAY;
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

    private void send() {
        for (var batch = next(); batch != null; batch = next()) {
            var sent = batch;
            long now = System.nanoTime();
            batch.send(channel, lanes.script()).onComplete(done -> channel.execute(() -> answered(sent, now, done)));
        }
    }

    /** Null where there is nothing to send, or enough under way. */
    private synchronized Batch next() {
        called = false;
        if (gathering.isEmpty() || underWay == UNDER_WAY) {
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
        return batch;
    }

    private void answered(Batch batch, long sent, AsyncResult<Response> done) {
        synchronized (this) {
            underWay--;
        }
        Asked.deliver(lanes.answered(batch, sent, done));
        boolean call;
        synchronized (this) {
            while (!waiting.isEmpty() && waiting.peek().done()) {
                waiting.remove();
            }
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
        for (var asked : late) {
            asked.expire(cause);
            lanes.unanswered(cause);
        }
        Asked.deliver(late);
    }
}
