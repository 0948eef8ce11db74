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
 * Polls Redis for resets and refunds, and evicts the denials they concern. Polls only while the denial cache is in use. A
 * Pub/Sub subscription would be faster, but cannot detect that it no longer receives messages.
 */
public final class ResetPoller {

    private static final long POLL_INTERVAL_MILLIS = 40;
    /** After a longer gap the poller starts over: entries it has not read may have expired. */
    private static final long MAX_GAP_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** Size of a full page, after which there may be more entries. */
    private static final int PAGE_SIZE = 1000;

    private final RedisConnectionManager manager;
    private final RedisClock clock;
    private final DenialCache denials;
    private final String streamKey;
    private final LuaScript listenScript;
    private final LuaScript tellScript;
    private final AtomicBoolean polling = new AtomicBoolean();
    /** Id of the last entry received; empty if unknown. */
    private volatile String lastEntryId = "";
    private volatile long lastPollAt = System.nanoTime() - MAX_GAP_NANOS;

    /** @param timeExpression the Lua expression with which the scripts read the time */
    ResetPoller(RedisConnectionManager manager, HashTags hashTags, RedisClock clock, DenialCache denials,
            String timeExpression) {
        this.manager = manager;
        this.clock = clock;
        this.denials = denials;
        this.streamKey = hashTags.globalKey("{fleet}:freed");
        this.listenScript = LuaScript.load(ResetPoller.class, "listen.lua", timeExpression);
        this.tellScript = LuaScript.load(ResetPoller.class, "tell.lua", timeExpression);
        manager.onChange(cause -> restart());
        clock.onSetBack(this::restart);
        manager.runEvery(POLL_INTERVAL_MILLIS, this::poll);
    }

    private void restart() {
        lastEntryId = "";
        denials.evictAll();
    }

    private void poll() {
        var connection = manager.connectionOrNull();
        if (connection == null || !denials.isNeeded() || !polling.compareAndSet(false, true)) {
            return;
        }
        long sentAt = System.nanoTime();
        var since = sentAt - lastPollAt > MAX_GAP_NANOS ? "" : lastEntryId;
        lastPollAt = sentAt;
        var reply = connection.eval(listenScript, List.of(streamKey), List.of(since));
        manager.within(TimeUnit.NANOSECONDS.toMillis(DenialCache.MAX_STALENESS_NANOS), reply).onComplete(done -> {
            if (done.succeeded()) {
                applyReply(done.result(), since, sentAt);
            }
            polling.set(false);
        });
    }

    private void applyReply(Response reply, String since, long sentAt) {
        lastEntryId = reply.get(1).toString();
        clock.update(reply.get(0).toLong(), sentAt, System.nanoTime());
        if (since.isEmpty() || reply.size() >= PAGE_SIZE) {
            denials.evictAll(); // later denials are checked against all later entries
        }
        for (int i = 2; i < reply.size(); i++) {
            var identifier = reply.get(i).toString();
            if (identifier.isEmpty()) {
                denials.evictAll();
            } else {
                denials.evict(identifier);
            }
        }
        denials.markSynced(sentAt);
    }

    /** Notifies all instances that units were freed. */
    public Future<Void> publish(RedisScriptConnection connection, ResetScope scope) {
        return connection.eval(tellScript, List.of(streamKey), List.of("", scope.identifier(), ""))
                .onSuccess(connection::reportRepairs).mapEmpty();
    }
}
