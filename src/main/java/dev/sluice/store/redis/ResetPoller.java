package dev.sluice.store.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.ResetScope;
import io.vertx.core.Future;
import io.vertx.redis.client.Response;

/**
 * Listens for what makes room in windows that are full, while somebody is refused from memory: it asks every few milliseconds.
 * A subscription would be told at once, but would not know when it hears nothing any more.
 */
public final class ResetPoller {

    private static final long PAUSE_MILLIS = 40;
    /** Who has not listened for so long begins anew: what was told may be there no more. */
    private static final long GAP_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** A page that is full: there is more to hear. */
    private static final int PAGE = 1000;

    private final RedisConnectionManager link;
    private final RedisClock time;
    private final DenialCache refusals;
    private final String freed;
    private final LuaScript listen;
    private final LuaScript tell;
    private final AtomicBoolean listening = new AtomicBoolean();
    /** The last that was heard of; nothing while that is not known. */
    private volatile String last = "";
    private volatile long lastAsked = System.nanoTime() - GAP_NANOS;

    /** @param script how the scripts ask for the time */
    ResetPoller(RedisConnectionManager link, HashTags keys, RedisClock time, DenialCache refusals, String script) {
        this.link = link;
        this.time = time;
        this.refusals = refusals;
        this.freed = keys.single("{fleet}:freed");
        this.listen = LuaScript.load(ResetPoller.class, "listen.lua", script);
        this.tell = LuaScript.load(ResetPoller.class, "tell.lua", script);
        link.onChange(cause -> deaf());
        time.onSetBack(this::deaf);
        link.every(PAUSE_MILLIS, this::listen);
    }

    private void deaf() {
        last = "";
        refusals.forgetAll();
    }

    private void listen() {
        var channel = link.open();
        if (channel == null || !refusals.needed() || !listening.compareAndSet(false, true)) {
            return;
        }
        long sent = System.nanoTime();
        var since = sent - lastAsked > GAP_NANOS ? "" : last;
        lastAsked = sent;
        var asked = channel.eval(listen, List.of(freed), List.of(since));
        link.within(TimeUnit.NANOSECONDS.toMillis(DenialCache.FRESH_NANOS), asked).onComplete(answered -> {
            if (answered.succeeded()) {
                heard(answered.result(), since, sent);
            }
            listening.set(false);
        });
    }

    private void heard(Response answer, String since, long sent) {
        last = answer.get(1).toString();
        time.heard(answer.get(0).toLong(), sent, System.nanoTime());
        if (since.isEmpty() || answer.size() >= PAGE) {
            refusals.forgetAll(); // what is remembered from now on is held against all that is told from now on
        }
        for (int i = 2; i < answer.size(); i++) {
            var identifier = answer.get(i).toString();
            if (identifier.isEmpty()) {
                refusals.forgetAll();
            } else {
                refusals.forget(identifier);
            }
        }
        refusals.heard(sent);
    }

    /** Tells all instances that there is room again. */
    public Future<Void> tell(RedisScriptConnection channel, ResetScope reset) {
        return channel.eval(tell, List.of(freed), List.of("", reset.identifier(), ""))
                .onSuccess(channel::reportRepairs).mapEmpty();
    }
}
