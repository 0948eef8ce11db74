package dev.sluice.service.alerts;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Response;

/**
 * Queue of alerts in Redis: a hash of the messages by id, a sorted set of the ids by the time at which they are due, and a hash of
 * the numbers of alerts by owner. These keys and those with which alerts are claimed have one hash tag, so that claiming and adding an
 * alert is one step on a cluster too. Thread-safe.
 */
final class RedisAlertQueue implements AlertQueue {

    private static final String TAG = "{alerts}:";
    private static final long TIMEOUT_MILLIS = 2000;
    private static final String REMOVE = "-1";

    private final RedisConnectionManager manager;
    private final HashTags hashTags;
    private final Context context;
    private final List<String> queueKeys;
    private final LuaScript claimScript;
    private final LuaScript leaseScript;
    private final LuaScript finishScript;

    /**
     * @param context on which futures complete
     * @param timeExpression the Lua expression with which the scripts read the time
     */
    RedisAlertQueue(RedisConnectionManager manager, HashTags hashTags, Context context, String timeExpression) {
        this.manager = manager;
        this.context = context;
        this.hashTags = hashTags;
        this.queueKeys = List.of(hashTags.globalKey(TAG + "messages"), hashTags.globalKey(TAG + "due"),
                hashTags.globalKey(TAG + "owners"));
        this.claimScript = LuaScript.load(RedisAlertQueue.class, "claim.lua", timeExpression);
        this.leaseScript = LuaScript.load(RedisAlertQueue.class, "lease.lua", timeExpression);
        this.finishScript = LuaScript.load(RedisAlertQueue.class, "finish.lua", timeExpression);
    }

    @Override
    public Future<List<ClaimResult>> claim(List<LimitAlert> alerts) {
        var keys = new ArrayList<>(queueKeys);
        keys.add(hashTags.globalKey(TAG + "random"));
        var arguments = new ArrayList<>(List.of(Integer.toString(MAX_PENDING), UUID.randomUUID().toString()));
        for (var alert : alerts) {
            keys.add(hashTags.globalKey(TAG + "claimed:" + alert.claim()));
            arguments.addAll(List.of(Long.toString(alert.keepUntil().toEpochMilli()), alert.message()));
        }
        return call(claimScript, keys, arguments, reply -> {
            var results = new ArrayList<ClaimResult>();
            for (int i = 0; i < alerts.size(); i++) {
                results.add(ClaimResult.values()[reply.get(i).toInteger()]);
            }
            return results;
        });
    }

    @Override
    public Future<Lease> lease(int max) {
        return call(leaseScript, queueKeys, List.of(Long.toString(LEASE_MILLIS), Integer.toString(max)), reply -> {
            var alerts = new ArrayList<Leased>();
            var leased = reply.get(1);
            for (int i = 0; i + 2 < leased.size(); i += 3) {
                alerts.add(new Leased(leased.get(i).toString(), leased.get(i + 1).toInteger(), leased.get(i + 2).toString()));
            }
            return new Lease(alerts, reply.get(0).toLong());
        });
    }

    @Override
    public Future<RetryResult> retry(String id, long delayMillis) {
        return finish(id, Long.toString(delayMillis)).map(reply -> RetryResult.valueOf(reply));
    }

    @Override
    public Future<Boolean> remove(String id) {
        return finish(id, REMOVE).map(reply -> !reply.equals(RetryResult.GONE.name()));
    }

    private Future<String> finish(String id, String delay) {
        return call(finishScript, queueKeys, List.of(id, delay, Long.toString(MAX_AGE_MILLIS)),
                reply -> reply.get(0).toString());
    }

    /** Redis's replies arrive on another event loop. */
    private <T> Future<T> call(LuaScript script, List<String> keys, List<String> arguments, Function<Response, T> mapper) {
        var connection = manager.connectionOrNull();
        Promise<T> result = Promise.promise();
        manager.within(TIMEOUT_MILLIS, manager.eval(script, keys, arguments).map(reply -> {
            if (connection != null) {
                connection.reportRepairs(reply);
            }
            return mapper.apply(reply);
        })).onComplete(done -> context.runOnContext(now -> result.handle(done)));
        return result.future();
    }
}
