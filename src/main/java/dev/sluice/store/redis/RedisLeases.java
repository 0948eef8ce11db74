package dev.sluice.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.LinkedBlockingQueue;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import dev.sluice.redis.RedisScriptConnection;
import dev.sluice.store.WindowKeys;
import dev.sluice.store.concurrency.LeaseToken;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Leases of slots of requests in flight, in Redis. Thread-safe. */
final class RedisLeases {

    private static final long MICROS = 1_000_000;
    /** Maximum number of leases that are freed when Redis is available again. Further ones end by themselves. */
    private static final int MAX_ABANDONED = 10_000;

    private final RedisConnectionManager manager;
    private final WindowKeys keys;
    private final LuaScript script;
    private final Queue<LeaseToken> abandoned = new LinkedBlockingQueue<>(MAX_ABANDONED);

    /** @param timeExpression the Lua expression with which the script reads the time */
    RedisLeases(RedisConnectionManager manager, HashTags hashTags, String timeExpression) {
        this.manager = manager;
        this.keys = new WindowKeys(hashTags);
        this.script = LuaScript.load(RedisLeases.class, "lease.lua", timeExpression);
        manager.onChange(failure -> {
            if (failure == null) {
                freeAbandoned();
            }
        });
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

    /** Frees a lease that no client knows: now, or when Redis is available again. It is not known whether it was taken. */
    void abandon(LeaseToken lease) {
        free(lease).onFailure(failure -> abandoned.offer(lease));
    }

    /** Leases of which the call fails again are kept for the next time. */
    private void freeAbandoned() {
        var all = new ArrayList<LeaseToken>();
        for (var lease = abandoned.poll(); lease != null; lease = abandoned.poll()) {
            all.add(lease);
        }
        all.forEach(this::abandon);
    }

    /** Returns the resources of an identifier that have leases. */
    Future<List<String>> resources(String identifier) {
        return manager.send(Request.cmd(Command.ZRANGE).arg(keys.leases(identifier)).arg(0).arg(-1))
                .map(names -> names.stream().map(Response::toString).toList())
                .recover(failure -> RedisScriptConnection.isKeySpecific(failure)
                        ? Future.succeededFuture(List.of()) // a foreign value, which the next lease replaces
                        : Future.failedFuture(failure));
    }

    /** Frees all leases of a resource, some with each call: a long-running script delays decisions. */
    Future<Void> freeAll(String identifier, String resource) {
        return call(identifier, resource, "", "clear", 0, 0)
                .compose(state -> state.done() ? Future.succeededFuture() : freeAll(identifier, resource));
    }

    private Future<LeaseState> call(LeaseToken lease, String operation, long seconds, long limit) {
        return call(lease.identifier(), lease.resource(), lease.id(), operation, seconds, limit);
    }

    private Future<LeaseState> call(String identifier, String resource, String id, String operation, long seconds, long limit) {
        return manager.connection().compose(connection -> connection
                .eval(script, List.of(keys.slots(identifier, resource), keys.leases(identifier)),
                        List.of(id, operation, Long.toString(seconds * MICROS), Long.toString(limit), resource))
                .onSuccess(connection::reportRepairs)
                .map(reply -> new LeaseState(reply.get(1).toInteger() == 1, reply.get(0).toLong(), reply.get(2).toLong())));
    }
}
