package dev.sluice.window;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.sluice.redis.KeySpace;
import dev.sluice.redis.RedisChannel;
import dev.sluice.redis.RedisLink;
import dev.sluice.redis.RedisScript;
import io.vertx.core.Future;
import io.vertx.redis.client.Response;

/**
 * Listens for what makes room in windows that are full, while somebody is refused from memory: it asks every few milliseconds.
 * A subscription would be told at once, but would not know when it hears nothing any more.
 */
final class Hearing {

    private static final long PAUSE_MILLIS = 40;
    /** Who has not listened for so long begins anew: what was told may be there no more. */
    private static final long GAP_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** A page that is full: there is more to hear. */
    private static final int PAGE = 1000;

    private final RedisLink link;
    private final RedisTime time;
    private final Refusals refusals;
    private final String freed;
    private final RedisScript listen;
    private final RedisScript tell;
    private final AtomicBoolean listening = new AtomicBoolean();
    /** The last that was heard of; nothing while that is not known. */
    private volatile String last = "";
    private volatile long lastAsked = System.nanoTime() - GAP_NANOS;

    /** @param script how the scripts ask for the time */
    Hearing(RedisLink link, KeySpace keys, RedisTime time, Refusals refusals, String script) {
        this.link = link;
        this.time = time;
        this.refusals = refusals;
        this.freed = keys.single("{fleet}:freed");
        this.listen = RedisScript.load(Hearing.class, "listen.lua", script);
        this.tell = RedisScript.load(Hearing.class, "tell.lua", script);
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
        link.within(TimeUnit.NANOSECONDS.toMillis(Refusals.FRESH_NANOS), asked).onComplete(answered -> {
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
    Future<Void> tell(RedisChannel channel, ResetScope reset) {
        return channel.eval(tell, List.of(freed), List.of("", reset.identifier(), ""))
                .onSuccess(channel::reportRepairs).mapEmpty();
    }
}
