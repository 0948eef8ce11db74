package dev.sluice.store.redis;

import java.util.List;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.concurrency.LeaseToken;
import io.vertx.core.Future;

/** Leases of slots of requests in flight, in Redis. Thread-safe. */
final class RedisLeases {

    private static final long MICROS = 1_000_000;

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final LuaScript script;

    /** @param timeExpression the Lua expression with which the script reads the time */
    RedisLeases(RedisConnectionManager manager, HashTags hashTags, String timeExpression) {
        this.manager = manager;
        this.keys = new WindowKeys(hashTags);
        this.script = LuaScript.load(RedisLeases.class, "lease.lua", timeExpression);
    }

    /** @param limit maximum number of slots */
    Future<LeaseState> take(LeaseToken lease, long limit) {
        return call(lease, "take", lease.seconds(), limit);
    }

    Future<LeaseState> renew(LeaseToken lease, long seconds) {
        return call(lease, "renew", seconds, 0);
    }

    Future<LeaseState> free(LeaseToken lease) {
        return call(lease, "free", 0, 0);
    }

    private Future<LeaseState> call(LeaseToken lease, String operation, long seconds, long limit) {
        return manager.connection().compose(connection -> connection
                .eval(script, List.of(keys.slots(lease.identifier(), lease.resource())),
                        List.of(lease.id(), operation, Long.toString(seconds * MICROS), Long.toString(limit)))
                .onSuccess(connection::reportRepairs)
                .map(reply -> new LeaseState(reply.get(1).toInteger() == 1, reply.get(0).toLong(), reply.get(2).toLong())));
    }
}
