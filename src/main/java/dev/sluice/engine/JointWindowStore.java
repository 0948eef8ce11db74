package dev.sluice.engine;

import java.util.List;

import dev.sluice.api.DecisionMode;
import dev.sluice.api.FallbackPolicy;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.cluster.InstanceRegistry;
import dev.sluice.store.JointPlan;
import dev.sluice.store.JointRequest;
import dev.sluice.store.ResponseTimeoutException;
import dev.sluice.store.ResultCallback;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import dev.sluice.store.memory.InMemoryWindowStore;
import dev.sluice.store.redis.RedisWindowStore;
import io.vertx.core.AsyncResult;

/** Decides on windows of several identifiers, in Redis or by the fallback, as {@link FailoverWindowStore} does for one. */
public final class JointWindowStore {

    /**
     * Outcome of a decision.
     *
     * @param request the request decided, with the shares that applied
     * @param result null if nothing was decided: {@link DecisionMode#OPEN}
     */
    public record Outcome(DecisionMode mode, JointRequest request, StoreResult result) {
    }

    private final FailoverWindowStore store;
    private final RedisWindowStore redis;
    private final InMemoryWindowStore memory;
    private final InstanceRegistry registry;
    private final FallbackPolicy fallback;

    /** @param redis null if windows are kept in memory only */
    public JointWindowStore(FailoverWindowStore store, RedisWindowStore redis, InMemoryWindowStore memory,
            InstanceRegistry registry,
            FallbackPolicy fallback) {
        this.store = store;
        this.redis = redis;
        this.memory = memory;
        this.registry = registry;
        this.fallback = fallback;
    }

    /** Decides; the callback runs on the calling event loop, if the caller is on one. */
    public void take(JointRequest request, boolean consume, ResultCallback<Outcome> callback) {
        if (redis == null) {
            callback.onResult(outcome(DecisionMode.MEMORY, request, memory.takeNow(request, consume)));
        } else if (!redis.available()) {
            decideByFallback(new StoreUnavailableException("Redis is unavailable", null), request, consume, callback);
        } else {
            redis.take(request, consume, new ResultCallback<>() {
                @Override
                public void onResult(StoreResult result) {
                    callback.onResult(outcome(DecisionMode.REDIS, request, result));
                }

                @Override
                public void onFailure(Throwable cause) {
                    decideByFallback(cause, request, consume, callback);
                }
            });
        }
    }

    private void decideByFallback(Throwable failure, JointRequest request, boolean consume, ResultCallback<Outcome> callback) {
        var timeout = failure instanceof ResponseTimeoutException late ? late : null;
        switch (fallback) {
            case CLOSED -> {
                if (timeout != null && consume) {
                    timeout.lateResult().onSuccess(late -> refund(request, late));
                }
                if (request.plan().isShadow()) { // denies nothing, whatever happens
                    callback.onResult(new Outcome(DecisionMode.OPEN, request, null));
                    return;
                }
                callback.onFailure(new StoreUnavailableException("Redis is unavailable", failure));
            }
            case OPEN -> callback.onResult(new Outcome(DecisionMode.OPEN, request, null));
            case LOCAL -> {
                var local = withShares(request);
                StoreResult result;
                try {
                    result = memory.takeNow(local, consume);
                    if (consume && timeout == null) {
                        forEachTaken(local.at(result.now()), result,
                                (identifier, claims) -> memory.addUnsynced(identifier, claims, result.now(), null));
                    } else if (consume) {
                        timeout.lateResult().onComplete(late -> reconcile(request, local, result, late));
                    }
                } catch (RuntimeException e) {
                    callback.onFailure(e);
                    return;
                }
                callback.onResult(outcome(DecisionMode.LOCAL, local, result));
            }
        }
    }

    private static Outcome outcome(DecisionMode mode, JointRequest request, StoreResult result) {
        return new Outcome(mode, request.at(result.now()), result);
    }

    private JointRequest withShares(JointRequest request) {
        return new JointRequest(request.identifiers(), new JointPlan(request.plan().parts().stream()
                .map(part -> part.stream().map(claim -> claim.withShare(registry.share(claim.limit()))).toList()).toList()));
    }

    /** Receives the identifier and the claims of a part that was taken. */
    private interface TakenPart {

        void accept(String identifier, List<WindowClaim> claims);
    }

    private static void forEachTaken(JointRequest request, StoreResult result, TakenPart action) {
        var results = request.plan().split(result);
        for (int i = 0; i < results.size(); i++) {
            var taken = JointPlan.taken(request.plan().parts().get(i), results.get(i));
            if (!taken.isEmpty()) {
                action.accept(request.identifiers().get(i), taken);
            }
        }
    }

    /** Counts what was granted locally in Redis exactly once, given Redis's late reply, and refunds what only Redis has granted. */
    private void reconcile(JointRequest request, JointRequest local, StoreResult granted, AsyncResult<StoreResult> late) {
        var decided = local.at(granted.now()).plan();
        var asked = late.failed() ? null : request.at(late.result().now()).plan();
        var localParts = local.plan().split(granted);
        var redisParts = late.failed() ? null : request.plan().split(late.result());
        for (int i = 0; i < localParts.size(); i++) {
            var identifier = request.identifiers().get(i);
            var here = JointPlan.taken(decided.parts().get(i), localParts.get(i));
            var there = redisParts == null
                    ? List.<WindowClaim>of()
                    : JointPlan.taken(asked.parts().get(i), redisParts.get(i));
            if (!here.isEmpty() && there.isEmpty()) {
                memory.addUnsynced(identifier, here, granted.now(), null);
            } else if (!here.isEmpty()) {
                memory.moveGrant(identifier, here, granted.now(), late.result().now());
            } else if (!there.isEmpty()) {
                store.refund(identifier, there, late.result().now(), null);
            }
        }
    }

    private void refund(JointRequest request, StoreResult late) {
        forEachTaken(request.at(late.now()), late, (identifier, claims) -> store.refund(identifier, claims, late.now(), null));
    }
}
