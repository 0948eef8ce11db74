package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;

import org.jboss.logging.Logger;

import dev.sluice.redis.ListenedClock;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.ResponseTimeoutException;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;

/**
 * One decision that Redis is asked for. But for {@link #deliver}, everything happens on the connection's event loop.
 */
final class PendingDecision {

    private static final Logger LOG = Logger.getLogger(PendingDecision.class);

    final String identifier;
    final ClaimPlan plan;
    final ClaimPlan.Question question;
    /** The reservation's; null where there is none. */
    final String name;
    final byte[][] keys;
    private final ResultCallback<StoreResult> receiver;
    private final ContextInternal context;
    /** When it was asked, in listened time and by {@link System#nanoTime}. */
    private long begun;
    private long begunWall;
    /** True once Redis may have counted it. */
    private boolean sent;
    private boolean done;
    private StoreResult outcome;
    private Throwable failure;
    /** What becomes of it after its time; null before. */
    private Promise<StoreResult> late;

    /** @param receiver hears on the event loop that asks, or on the connection's where none does */
    PendingDecision(String identifier, ClaimPlan plan, ClaimPlan.Question question, String name, byte[][] keys,
            ResultCallback<StoreResult> receiver) {
        this.identifier = identifier;
        this.plan = plan;
        this.question = question;
        this.name = name;
        this.keys = keys;
        this.receiver = receiver;
        this.context = Context.isOnEventLoopThread() ? (ContextInternal) Vertx.currentContext() : null;
    }

    /** Whether whoever waits has an answer, or is just getting it. */
    boolean done() {
        return done;
    }

    /**
     * The wait begins.
     *
     * @param listened in listened time
     * @param now by {@link System#nanoTime}
     */
    void begin(long listened, long now) {
        begun = listened;
        begunWall = now;
    }

    /**
     * Returns whether it has waited for too long.
     *
     * @param silence listened nanoseconds for which Redis has been silent
     */
    boolean over(ListenedClock clock, long timeoutNanos, long silence) {
        return clock.over(timeoutNanos, begun, begunWall, silence);
    }

    /** It is on its way, and may be counted from now on. */
    void send() {
        sent = true;
    }

    /** Redis has certainly done nothing, and is to be asked again. */
    void takeBack() {
        sent = false;
    }

    /** @return whether it came in time; otherwise it is told to who wants to know of late ones */
    boolean answer(StoreResult answered, Throwable cause) {
        if (done) {
            if (late != null) {
                settleLate(answered, cause);
            }
            return false;
        }
        done = true;
        outcome = answered;
        failure = cause;
        return true;
    }

    private void settleLate(StoreResult answered, Throwable cause) {
        if (cause == null) {
            late.tryComplete(answered);
        } else {
            late.tryFail(cause);
        }
    }

    /** Its time is over. One that was not sent will not be. @return whether nobody has answered it before */
    boolean expire(Throwable cause) {
        if (done) {
            return false;
        }
        done = true;
        if (sent) {
            late = Promise.promise();
            failure = new ResponseTimeoutException(late.future());
        } else {
            failure = cause;
        }
        return true;
    }

    /** It cannot even be asked. */
    void refuse(Throwable cause) {
        done = true;
        receiver.failed(cause);
    }

    private void deliverHere() {
        try {
            deliver();
        } catch (RuntimeException e) {
            LOG.error("Who waited for a decision failed to hear of it", e);
        }
    }

    private void deliver() {
        if (failure == null) {
            receiver.received(outcome);
        } else {
            receiver.failed(failure);
        }
    }

    /** Hands each its answer where it asked, with one wake-up for each event loop. */
    static void deliver(List<PendingDecision> answered) {
        for (int i = 0; i < answered.size(); i++) {
            var asked = answered.get(i);
            if (asked == null) {
                continue; // it went with another one
            } else if (asked.context == null) {
                asked.deliverHere();
            } else if (asked.context.inThread()) {
                asked.context.dispatch(asked, PendingDecision::deliver);
            } else {
                deliverElsewhere(i, answered);
            }
        }
    }

    /** Takes out all that lead to one other event loop. */
    private static void deliverElsewhere(int first, List<PendingDecision> answered) {
        var loop = answered.get(first).context.nettyEventLoop();
        var there = new ArrayList<PendingDecision>(answered.size() - first);
        for (int i = first; i < answered.size(); i++) {
            var asked = answered.get(i);
            if (asked != null && asked.context != null && asked.context.nettyEventLoop() == loop) {
                there.add(asked);
                answered.set(i, null);
            }
        }
        loop.execute(() -> {
            for (var asked : there) {
                asked.context.dispatch(asked, PendingDecision::deliver);
            }
        });
    }
}
