package dev.sluice.window;

import java.util.ArrayList;
import java.util.List;

import dev.sluice.limit.StoreUnavailableException;
import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import dev.sluice.window.RedisStore.Recorder;
import io.vertx.core.AsyncResult;
import io.vertx.redis.client.Response;

/**
 * The lanes to Redis over the connection there is: one; or where keys of one call must lie in one slot, one for each hash tag.
 */
final class Lanes {

    /** What leads over one connection. */
    private record Ways(RedisChannel channel, Lane[] lanes) {
    }

    private final RedisLink link;
    private final KeySpace keys;
    private final RedisScript script;
    private final Recorder recorder;
    private final RedisTime time;
    private volatile Ways ways = new Ways(null, new Lane[0]);

    Lanes(RedisLink link, KeySpace keys, RedisScript script, Recorder recorder, RedisTime time) {
        this.time = time;
        this.link = link;
        this.keys = keys;
        this.script = script;
        this.recorder = recorder;
    }

    RedisScript script() {
        return script;
    }

    /** Asks, or fails at once. */
    void ask(Asked asked) {
        var channel = link.open();
        if (channel == null) {
            asked.refuse(new StoreUnavailableException("Redis is out of reach", null));
        } else if (!lane(channel, asked.identifier).ask(asked)) {
            asked.refuse(channel.overloaded());
        }
    }

    private Lane lane(RedisChannel channel, String identifier) {
        var there = ways;
        if (there.channel() != channel) {
            there = open(channel);
        }
        return there.lanes()[there.lanes().length == 1 ? 0 : keys.tag(identifier)];
    }

    /** What is under way over another connection is answered there, or not at all. */
    private synchronized Ways open(RedisChannel channel) {
        if (ways.channel() != channel) {
            var lanes = new Lane[channel.sharded() ? KeySpace.TAGS : 1];
            for (int i = 0; i < lanes.length; i++) {
                lanes[i] = new Lane(this, channel, link.vertx());
            }
            ways = new Ways(channel, lanes);
        }
        return ways;
    }

    /** Reads what Redis answered; returns whom to tell. */
    List<Asked> answered(Batch batch, long sent, AsyncResult<Response> done) {
        var outcomes = done.succeeded() ? batch.read(done.result()) : null;
        if (outcomes != null) {
            link.succeeded();
            time.heard(Batch.clock(done.result()), sent, System.nanoTime());
        }
        var answered = new ArrayList<Asked>(batch.asked().size());
        for (int i = 0; i < batch.asked().size(); i++) {
            var asked = batch.asked().get(i);
            var outcome = outcomes == null ? null : outcomes[i];
            var failure = outcome != null ? null : failure(done.cause());
            if (!asked.answer(outcome, failure)) {
                continue;
            }
            answered.add(asked);
            if (outcome == null) {
                if (done.failed()) {
                    link.failed(done.cause());
                }
            } else if (outcome.admitted() && asked.question.take()) {
                recorder.granted(asked.identifier, asked.plan, outcome, asked.name);
            }
        }
        return answered;
    }

    /** @param cause null where Redis answered, but its keys hold something else */
    private static Throwable failure(Throwable cause) {
        return cause instanceof StoreUnavailableException
                ? cause
                : new StoreUnavailableException("Redis answered with an error", cause);
    }

    /** A decision was not made in time. */
    void unanswered(Throwable cause) {
        link.failed(cause);
    }
}
