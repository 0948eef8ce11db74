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
    final ClaimPlan.Operation operation;
    /** The reservation's; null where there is none. */
    final String reservationId;
    final byte[][] keys;
    private final ResultCallback<StoreResult> callback;
    private final ContextInternal callerContext;
    /** When it was asked, in listened time and by {@link System#nanoTime}. */
    private long startedAt;
    private long startedAtWall;
    /** True once Redis may have counted it. */
    private boolean sent;
    private boolean done;
    private StoreResult result;
    private Throwable failure;
    /** What becomes of it after its time; null before. */
    private Promise<StoreResult> lateResult;

    /** @param callback hears on the event loop that asks, or on the connection's where none does */
    PendingDecision(String identifier, ClaimPlan plan, ClaimPlan.Operation operation, String reservationId, byte[][] keys,
            ResultCallback<StoreResult> callback) {
        this.identifier = identifier;
        this.plan = plan;
        this.operation = operation;
        this.reservationId = reservationId;
        this.keys = keys;
        this.callback = callback;
        this.callerContext = Context.isOnEventLoopThread() ? (ContextInternal) Vertx.currentContext() : null;
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
    void start(long listened, long now) {
        startedAt = listened;
        startedAtWall = now;
    }

    /**
     * Returns whether it has waited for too long.
     *
     * @param silence listened nanoseconds for which Redis has been silent
     */
    boolean isOverdue(ListenedClock clock, long timeoutNanos, long silence) {
        return clock.isOver(timeoutNanos, startedAt, startedAtWall, silence);
    }

    /** It is on its way, and may be counted from now on. */
    void markSent() {
        sent = true;
    }

    /** Redis has certainly done nothing, and is to be asked again. */
    void markUnsent() {
        sent = false;
    }

    /** @return whether it came in time; otherwise it is told to who wants to know of late ones */
    boolean complete(StoreResult value, Throwable cause) {
        if (done) {
            if (lateResult != null) {
                completeLate(value, cause);
            }
            return false;
        }
        done = true;
        result = value;
        failure = cause;
        return true;
    }

    private void completeLate(StoreResult value, Throwable cause) {
        if (cause == null) {
            lateResult.tryComplete(value);
        } else {
            lateResult.tryFail(cause);
        }
    }

    /** Its time is over. One that was not sent will not be. @return whether nobody has answered it before */
    boolean expire(Throwable cause) {
        if (done) {
            return false;
        }
        done = true;
        if (sent) {
            lateResult = Promise.promise();
            failure = new ResponseTimeoutException(lateResult.future());
        } else {
            failure = cause;
        }
        return true;
    }

    /** It cannot even be asked. */
    void reject(Throwable cause) {
        done = true;
        callback.onFailure(cause);
    }

    private void deliverSafely() {
        try {
            deliver();
        } catch (RuntimeException e) {
            LOG.error("Who waited for a decision failed to hear of it", e);
        }
    }

    private void deliver() {
        if (failure == null) {
            callback.onResult(result);
        } else {
            callback.onFailure(failure);
        }
    }

    /** Hands each its answer where it asked, with one wake-up for each event loop. */
    static void deliver(List<PendingDecision> decisions) {
        for (int i = 0; i < decisions.size(); i++) {
            var decision = decisions.get(i);
            if (decision == null) {
                continue; // it went with another one
            } else if (decision.callerContext == null) {
                decision.deliverSafely();
            } else if (decision.callerContext.inThread()) {
                decision.callerContext.dispatch(decision, PendingDecision::deliver);
            } else {
                deliverOnOtherLoop(i, decisions);
            }
        }
    }

    /** Takes out all that lead to one other event loop. */
    private static void deliverOnOtherLoop(int first, List<PendingDecision> decisions) {
        var loop = decisions.get(first).callerContext.nettyEventLoop();
        var sameLoop = new ArrayList<PendingDecision>(decisions.size() - first);
        for (int i = first; i < decisions.size(); i++) {
            var decision = decisions.get(i);
            if (decision != null && decision.callerContext != null && decision.callerContext.nettyEventLoop() == loop) {
                sameLoop.add(decision);
                decisions.set(i, null);
            }
        }
        loop.execute(() -> {
            for (var decision : sameLoop) {
                decision.callerContext.dispatch(decision, PendingDecision::deliver);
            }
        });
    }
}
