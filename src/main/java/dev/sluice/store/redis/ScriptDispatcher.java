package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.redis.Repair;
import dev.sluice.store.JointPlan;
import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;
import io.vertx.core.AsyncResult;
import io.vertx.redis.client.Response;

/**
 * Dispatches decisions to the pipelines of the current connection: one pipeline, or on a Redis Cluster, where the keys of one call
 * must be in one slot, one for each hash tag.
 */
final class ScriptDispatcher {

    private static final Logger LOG = Logger.getLogger(ScriptDispatcher.class);

    /** Pipelines of one connection. */
    private record Pipelines(RedisScriptConnection connection, ScriptPipeline[] pipelines) {
    }

    private final RedisConnectionManager manager;
    private final HashTags hashTags;
    private final DecisionScript script;
    private final GrantRecorder recorder;
    private final RedisClock clock;
    private final Consumer<RedisScriptConnection> beforeBatch;
    private final long timeoutNanos;
    private volatile Pipelines pipelines = new Pipelines(null, new ScriptPipeline[0]);

    /**
     * @param timeoutNanos timeout of a decision, in listened time
     * @param beforeBatch called on the connection's event loop before a batch is sent
     */
    ScriptDispatcher(RedisConnectionManager manager, HashTags hashTags, DecisionScript script, long timeoutNanos,
            GrantRecorder recorder,
            RedisClock clock, Consumer<RedisScriptConnection> beforeBatch) {
        this.beforeBatch = beforeBatch;
        this.timeoutNanos = timeoutNanos;
        this.clock = clock;
        this.manager = manager;
        this.hashTags = hashTags;
        this.script = script;
        this.recorder = recorder;
    }

    /** Queues a decision, or fails it at once. */
    void dispatch(PendingDecision decision) {
        var cause = tryDispatch(decision);
        if (cause != null) {
            decision.reject(cause);
        }
    }

    /** @return the failure; null if the decision is queued */
    private Throwable tryDispatch(PendingDecision decision) {
        var connection = manager.connectionOrNull();
        if (connection == null) {
            return new StoreUnavailableException("Redis is unavailable", null);
        }
        return pipeline(connection, decision.identifier).submit(decision, System.nanoTime())
                ? null
                : connection.overloaded();
    }

    /** Returns whether the keys of one call must be in one slot. */
    boolean isSharded() {
        var current = pipelines;
        if (current.connection() != null) {
            return current.pipelines().length > 1;
        }
        var connection = manager.connectionOrNull();
        return connection != null && connection.isSharded();
    }

    /** Returns whether there is a single pipeline. */
    boolean isSingle() {
        return pipelines.pipelines().length == 1;
    }

    private ScriptPipeline pipeline(RedisScriptConnection connection, String identifier) {
        var existing = pipelines;
        if (existing.connection() != connection) {
            existing = pipelinesFor(connection);
        }
        return existing.pipelines()[existing.pipelines().length == 1 ? 0 : hashTags.tag(identifier)];
    }

    /** Returns the connection's pipelines. Requests in flight on another connection complete there or time out. */
    private synchronized Pipelines pipelinesFor(RedisScriptConnection connection) {
        if (pipelines.connection() != connection) {
            pipelines = createPipelines(connection, connection.isSharded() ? HashTags.TAGS : 1);
        }
        return pipelines;
    }

    private Pipelines createPipelines(RedisScriptConnection connection, int count) {
        var created = new ScriptPipeline[count];
        var waitingTotal = new AtomicInteger();
        for (int i = 0; i < count; i++) {
            created[i] = new ScriptPipeline(script, this::handleReply, connection, waitingTotal, timeoutNanos, beforeBatch);
        }
        return new Pipelines(connection, created);
    }

    private List<PendingDecision> handleReply(RedisScriptConnection connection, DecisionBatch batch, long sentAt,
            AsyncResult<Response> done) {
        if (done.failed() && RedisScriptConnection.isCrossSlot(done.cause())) {
            usePipelinePerTag(connection);
            return dispatchSeparately(batch, done.cause());
        }
        List<StoreResult[]> results = null;
        Throwable cause = done.cause();
        if (done.succeeded()) {
            try {
                results = batch.read(done.result());
                clock.update(DecisionBatch.serverTime(done.result()), sentAt, System.nanoTime());
                connection.reportRepairs(done.result());
                reportDenialsByBound(done.result());
            } catch (RuntimeException e) {
                cause = e; // not a reply of our script
            }
        }
        reportToCircuitBreaker(connection, batch, results != null, cause);
        var completed = new ArrayList<PendingDecision>(batch.requestCount());
        var jointGrants = new JointGrants(this::record);
        for (int i = 0; i < batch.groups().size(); i++) {
            var group = batch.groups().get(i);
            var decided = results == null ? null : results.get(i);
            if (decided == DecisionBatch.WRONG_PERIOD) {
                moveTo(DecisionBatch.serverTime(done.result()), group, batch, completed);
            } else {
                complete(group, decided, cause, completed, jointGrants);
            }
        }
        jointGrants.report();
        return completed;
    }

    /** Prepares decisions whose calendar periods do not contain Redis's time for the next call. */
    private void moveTo(long serverTime, DecisionBatch.Group group, DecisionBatch batch, List<PendingDecision> completed) {
        for (int i = 0; i < group.size(); i++) {
            var decision = group.member(i);
            if (decision.tryMoveTo(serverTime, hashTags)) {
                batch.addUnsent(decision);
            } else if (decision.complete(null, new StoreUnavailableException("Redis's clock is not steady", null))) {
                completed.add(decision);
            }
        }
    }

    private void reportDenialsByBound(Response reply) {
        long denials = Repair.denials(reply);
        if (denials > 0) {
            script.bound().denied(denials);
        }
    }

    private void complete(DecisionBatch.Group group, StoreResult[] results, Throwable cause, List<PendingDecision> completed,
            JointGrants jointGrants) {
        int granted = 0;
        StoreResult last = null;
        for (int i = 0; i < group.size(); i++) {
            var decision = group.member(i);
            var result = results == null ? null : results[i];
            if (decision.complete(result, result != null ? null : failure(cause))) {
                completed.add(decision);
                if (result != null && decision.operation.consume() && decision.joint != null) {
                    recordParts(decision, result, jointGrants);
                } else if (result != null && result.admitted() && decision.operation.consume()) {
                    granted++;
                    last = result;
                }
            }
        }
        if (granted > 0) {
            record(group.member(0), last, granted);
        }
    }

    /** Reports the call to the circuit breaker, once per call, however many decisions it carries. */
    private void reportToCircuitBreaker(RedisScriptConnection connection, DecisionBatch batch, boolean decided,
            Throwable cause) {
        if (!decided) {
            if (cause != null) {
                manager.reportFailure(cause);
            }
        } else if (connection.clock().listened() - batch.sentAt() > timeoutNanos) {
            manager.reportLate(batch.sentAt());
        } else {
            manager.reportSuccess();
        }
    }

    private static void recordParts(PendingDecision decision, StoreResult result, JointGrants grants) {
        var plan = decision.joint.plan();
        var parts = plan.parts();
        var results = plan.isEnforced() ? null : plan.split(result); // without other enforcements, all parts are taken, or none
        for (int i = 0; i < parts.size(); i++) {
            var taken = JointPlan.taken(parts.get(i), results == null ? result : results.get(i));
            if (!taken.isEmpty()) {
                grants.add(decision.joint.identifiers().get(i), taken, result, decision.reservationId);
            }
        }
    }

    private void record(PendingDecision decision, StoreResult result, int count) {
        record(decision.identifier, decision.plan, result, decision.reservationId, count);
    }

    private void record(String identifier, List<WindowClaim> claims, StoreResult result, String reservation, int count) {
        try {
            recorder.onGranted(identifier, claims, result, reservation, count);
        } catch (RuntimeException e) {
            LOG.error("Grant by Redis could not be recorded in memory", e);
        }
    }

    private synchronized void usePipelinePerTag(RedisScriptConnection connection) {
        if (pipelines.connection() == connection && pipelines.pipelines().length == 1) {
            pipelines = createPipelines(connection, HashTags.TAGS);
        }
    }

    /**
     * Sends the decisions again, one pipeline per hash tag: a cluster behind one address has executed nothing, because the keys
     * are not in one slot.
     */
    private List<PendingDecision> dispatchSeparately(DecisionBatch batch, Throwable cause) {
        var completed = new ArrayList<PendingDecision>();
        for (var group : batch.groups()) {
            for (int i = 0; i < group.size(); i++) {
                var decision = group.member(i);
                decision.markUnsent();
                boolean together = batch.requestCount() == 1; // its own keys are not in one slot
                var rejection = decision.done() || together ? cause : tryDispatch(decision);
                if (rejection != null && decision.complete(null, failure(rejection))) {
                    completed.add(decision);
                }
            }
        }
        return completed;
    }

    /** @param cause null if Redis replied, but a key holds a foreign value */
    private static Throwable failure(Throwable cause) {
        return cause instanceof StoreUnavailableException
                ? cause
                : new StoreUnavailableException("Redis replied with an error", cause);
    }
}
