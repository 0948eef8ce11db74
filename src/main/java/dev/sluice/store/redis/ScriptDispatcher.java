package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.jboss.logging.Logger;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.StoreResult;
import io.vertx.core.AsyncResult;
import io.vertx.redis.client.Response;

/**
 * The lanes to Redis over the connection there is: one; or where keys of one call must lie in one slot, one for each hash tag.
 */
final class ScriptDispatcher {

    private static final Logger LOG = Logger.getLogger(ScriptDispatcher.class);

    /** What leads over one connection. */
    private record Ways(RedisScriptConnection channel, ScriptPipeline[] lanes) {
    }

    private final RedisConnectionManager link;
    private final HashTags keys;
    private final LuaScript script;
    private final GrantRecorder recorder;
    private final RedisClock time;
    private final long timeoutNanos;
    private volatile Ways ways = new Ways(null, new ScriptPipeline[0]);

    /** @param timeoutNanos how long a decision may wait, in listened time */
    ScriptDispatcher(RedisConnectionManager link, HashTags keys, LuaScript script, long timeoutNanos, GrantRecorder recorder,
            RedisClock time) {
        this.timeoutNanos = timeoutNanos;
        this.time = time;
        this.link = link;
        this.keys = keys;
        this.script = script;
        this.recorder = recorder;
    }

    LuaScript script() {
        return script;
    }

    /** Asks, or fails at once. */
    void ask(PendingDecision asked) {
        var cause = tryToAsk(asked);
        if (cause != null) {
            asked.refuse(cause);
        }
    }

    /** Null where it is asked. */
    private Throwable tryToAsk(PendingDecision asked) {
        var channel = link.open();
        if (channel == null) {
            return new StoreUnavailableException("Redis is out of reach", null);
        }
        return lane(channel, asked.identifier).ask(asked, System.nanoTime()) ? null : channel.overloaded();
    }

    /** Whether everything goes one way. */
    boolean single() {
        return ways.lanes().length == 1;
    }

    private ScriptPipeline lane(RedisScriptConnection channel, String identifier) {
        var there = ways;
        if (there.channel() != channel) {
            there = open(channel);
        }
        return there.lanes()[there.lanes().length == 1 ? 0 : keys.tag(identifier)];
    }

    /** What is under way over another connection is answered there, or not at all. */
    private synchronized Ways open(RedisScriptConnection channel) {
        if (ways.channel() != channel) {
            ways = ways(channel, channel.sharded() ? HashTags.TAGS : 1);
        }
        return ways;
    }

    private Ways ways(RedisScriptConnection channel, int many) {
        var lanes = new ScriptPipeline[many];
        var everybody = new AtomicInteger();
        for (int i = 0; i < many; i++) {
            lanes[i] = new ScriptPipeline(this, channel, everybody, timeoutNanos);
        }
        return new Ways(channel, lanes);
    }

    /** Reads what Redis answered; returns whom to tell. */
    List<PendingDecision> answered(RedisScriptConnection channel, DecisionBatch batch, long sent, AsyncResult<Response> done) {
        if (done.failed() && batch.requests() > 1 && String.valueOf(done.cause().getMessage()).startsWith("CROSSSLOT")) {
            return separately(channel, batch, done.cause());
        }
        List<StoreResult[]> outcomes = null;
        Throwable cause = done.cause();
        if (done.succeeded()) {
            try {
                outcomes = batch.read(done.result());
                time.heard(DecisionBatch.clock(done.result()), sent, System.nanoTime());
                channel.reportRepairs(done.result());
            } catch (RuntimeException e) {
                cause = e; // no answer of ours
            }
        }
        judge(channel, batch, outcomes != null, cause);
        var answered = new ArrayList<PendingDecision>(batch.requests());
        for (int i = 0; i < batch.groups().size(); i++) {
            answer(batch.groups().get(i), outcomes == null ? null : outcomes.get(i), cause, answered);
        }
        return answered;
    }

    private void answer(DecisionBatch.Group group, StoreResult[] outcomes, Throwable cause, List<PendingDecision> answered) {
        int granted = 0;
        StoreResult last = null;
        for (int i = 0; i < group.size(); i++) {
            var asked = group.member(i);
            var outcome = outcomes == null ? null : outcomes[i];
            if (asked.answer(outcome, outcome != null ? null : failure(cause))) {
                answered.add(asked);
                if (outcome != null && outcome.admitted() && asked.question.take()) {
                    granted++;
                    last = outcome;
                }
            }
        }
        if (granted > 0) {
            record(group.member(0), last, granted);
        }
    }

    /** A call is one piece of evidence about Redis, however many decisions it carries. */
    private void judge(RedisScriptConnection channel, DecisionBatch batch, boolean decided, Throwable cause) {
        if (!decided) {
            if (cause != null) {
                link.failed(cause);
            }
        } else if (channel.clock().listened() - batch.sent() > timeoutNanos) {
            link.late();
        } else {
            link.succeeded();
        }
    }

    private void record(PendingDecision asked, StoreResult outcome, int times) {
        try {
            recorder.granted(asked.identifier, asked.plan, outcome, asked.name, times);
        } catch (RuntimeException e) {
            LOG.error("What Redis has granted is not counted here", e);
        }
    }

    /** A cluster behind one address has done nothing, because these keys are not in one slot. */
    private List<PendingDecision> separately(RedisScriptConnection channel, DecisionBatch batch, Throwable cause) {
        synchronized (this) {
            if (ways.channel() == channel && ways.lanes().length == 1) {
                ways = ways(channel, HashTags.TAGS);
            }
        }
        var told = new ArrayList<PendingDecision>();
        for (var group : batch.groups()) {
            for (int i = 0; i < group.size(); i++) {
                var asked = group.member(i);
                asked.takeBack();
                var refused = asked.done() ? cause : tryToAsk(asked);
                if (refused != null && asked.answer(null, failure(refused))) {
                    told.add(asked);
                }
            }
        }
        return told;
    }

    /** @param cause null where Redis answered, but its keys hold something else */
    private static Throwable failure(Throwable cause) {
        return cause instanceof StoreUnavailableException
                ? cause
                : new StoreUnavailableException("Redis answered with an error", cause);
    }
}
