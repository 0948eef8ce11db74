package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;

import org.jboss.logging.Logger;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.ListenedClock;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.ResponseTimeoutException;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowKeys;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;

/**
 * A decision requested from Redis. Except for {@link #deliver}, it is accessed on the connection's event loop only.
 */
final class PendingDecision {

    private static final Logger LOG = Logger.getLogger(PendingDecision.class);

    /** A period can end while a decision is under way; more often, Redis's clock jumps. */
    private static final int MAX_WRONG_PERIODS = 3;

    final String identifier;
    /** Changes only between two calls of the script, as do the operation, the keys and the joint request. */
    ClaimPlan plan;
    ClaimPlan.Operation operation;
    /** Null if nothing is reserved. */
    final String reservationId;
    byte[][] keys;
    /** Null if it concerns one identifier. */
    JointRequest joint;
    /** Null if no slots of requests in flight are requested. */
    private final PendingSlots slots;
    private final ResultCallback<StoreResult> callback;
    private final ContextInternal callerContext;
    /** Start of the wait, in listened time and by {@link System#nanoTime}. */
    private long startedAt;
    private long startedAtWall;
    /** True once Redis may have counted it. */
    private boolean sent;
    private boolean done;
    /** Number of calls of the script that found the periods of the plan to be wrong. */
    private int wrongPeriods;
    private StoreResult result;
    private Throwable failure;
    /** Completed with a reply after the timeout; null before the timeout. */
    private Promise<StoreResult> lateResult;

    /** @param callback called on the calling event loop, or on the connection's if the caller is on none */
    PendingDecision(String identifier, ClaimPlan plan, ClaimPlan.Operation operation, String reservationId, byte[][] keys,
            PendingSlots slots, ResultCallback<StoreResult> callback) {
        this(identifier, plan, operation, reservationId, keys, null, slots, callback);
    }

    /** Creates a decision on windows of several identifiers; {@code identifier} is the first of them. */
    PendingDecision(JointRequest joint, ClaimPlan.Operation operation, String reservationId, byte[][] keys,
            PendingSlots slots, ResultCallback<StoreResult> callback) {
        this(joint.identifiers().get(0), joint.plan().claims(), operation, reservationId, keys, joint, slots, callback);
    }

    private PendingDecision(String identifier, ClaimPlan plan, ClaimPlan.Operation operation, String reservationId,
            byte[][] keys, JointRequest joint, PendingSlots slots, ResultCallback<StoreResult> callback) {
        this.joint = joint;
        this.slots = slots;
        this.identifier = identifier;
        this.plan = plan;
        this.operation = operation;
        this.reservationId = reservationId;
        this.keys = keys;
        this.callback = callback;
        this.callerContext = Context.isOnEventLoopThread() ? (ContextInternal) Vertx.currentContext() : null;
    }

    /** Returns whether the callback was called or is about to be. */
    boolean done() {
        return done;
    }

    /**
     * Starts the wait.
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

    /** Marks the request as sent: Redis may count it from now on. */
    void markSent() {
        sent = true;
        if (slots != null && !done) {
            slots.onSent();
        }
    }

    /** Marks the request as unsent, because Redis certainly did not execute it; it is sent again. */
    void markUnsent() {
        sent = false;
        if (slots != null) {
            slots.onUnsent();
        }
    }

    /**
     * Changes the plan to the calendar periods of a time, after the script has found that they are not those of the plan and has not
     * decided anything. The timeout goes on.
     *
     * @param micros Redis's time
     * @return false if it must not be sent again
     */
    boolean tryMoveTo(long micros, HashTags hashTags) {
        if (done || ++wrongPeriods > MAX_WRONG_PERIODS) {
            return false;
        }
        markUnsent();
        var member = operation.reserves() ? WindowKeys.reservationMember(reservationId) : null;
        if (joint != null) {
            joint = joint.at(micros);
            plan = joint.plan().claims();
            keys = joint.plan().keys(hashTags, joint.identifiers(), member);
            operation = joint.plan().operation(operation.consume(), operation.reserves(), operation.exactUpTo());
        } else {
            plan = plan.at(micros);
            keys = plan.keys(hashTags, identifier, member);
            operation = plan.operation(operation.consume(), operation.reserves(), operation.exactUpTo());
        }
        return true;
    }

    /**
     * Completes the decision. After a timeout, completes the late result instead.
     *
     * @return whether the reply was in time
     */
    boolean complete(StoreResult value, Throwable cause) {
        var decided = sent && slots != null ? withSlots(value) : value;
        if (done) {
            if (decided != null) {
                decided.slot().release(); // the fallback has decided, and holds slots of its own
            }
            if (lateResult != null) {
                completeLate(value, cause);
            }
            return false;
        }
        done = true;
        result = decided;
        failure = cause;
        return true;
    }

    /** Returns the result with the slots that Redis has granted. */
    private StoreResult withSlots(StoreResult value) {
        if (value == null) {
            slots.onNoReply();
            return null;
        }
        return value.with(slots.onReply(value, joint == null ? null : joint.plan()));
    }

    private void completeLate(StoreResult value, Throwable cause) {
        if (cause == null) {
            lateResult.tryComplete(value);
        } else {
            lateResult.tryFail(cause);
        }
    }

    /**
     * Times the decision out. An unsent request will not be sent any more.
     *
     * @return false if it was complete already
     */
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

    /** Fails a decision that cannot be sent. */
    void reject(Throwable cause) {
        done = true;
        callback.onFailure(cause);
    }

    private void deliverSafely() {
        try {
            deliver();
        } catch (RuntimeException e) {
            LOG.error("Decision callback failed", e);
        }
    }

    private void deliver() {
        if (failure == null) {
            callback.onResult(result);
        } else {
            callback.onFailure(failure);
        }
    }

    /** Calls the callbacks on their event loops, with one wake-up for each event loop. */
    static void deliver(List<PendingDecision> decisions) {
        for (int i = 0; i < decisions.size(); i++) {
            var decision = decisions.get(i);
            if (decision == null) {
                continue; // delivered together with an earlier one
            } else if (decision.callerContext == null) {
                decision.deliverSafely();
            } else if (decision.callerContext.inThread()) {
                decision.callerContext.dispatch(decision, PendingDecision::deliver);
            } else {
                deliverOnOtherLoop(i, decisions);
            }
        }
    }

    /** Removes all decisions of another event loop and delivers them there. */
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
